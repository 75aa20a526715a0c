"""Results in a bucket: a real server, and others that refuse, lose answers or are not there."""

import json
import os
import signal
import subprocess
import sys

import pytest
from storages import CALLS, LARGE, Relay, call, dead_server, digest, one_line, write_large

from job.errors import ConflictError, StorageError, StorageUnavailableError
from job.storage import open_storage

UPLOAD = rb"POST /upload/"
CREATE_FROM_FILE = """
import sys
from pathlib import Path
from job.storage import open_storage
open_storage(sys.argv[1]).create_from_file("model", Path(sys.argv[2]))
"""


def test_a_kill_in_a_large_upload_leaves_nothing(gs_url, gcs_server, tmp_path):
    path = write_large(tmp_path / "source")
    with Relay(gcs_server, UPLOAD, stall_after=LARGE // 2) as relay:
        environment = {**os.environ, "STORAGE_EMULATOR_HOST": relay.url}
        child = subprocess.Popen([sys.executable, "-c", CREATE_FROM_FILE, gs_url, path], env=environment)
        stalled = relay.stalled.wait(30)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        assert stalled
    storage = open_storage(gs_url)
    assert list(storage.list()) == []
    storage.create_from_file("model", path)
    assert list(storage.list()) == ["model"]


@pytest.mark.usefixtures("gs_url")
@pytest.mark.parametrize("method", CALLS)
def test_a_missing_bucket_is_final(tmp_path, method):
    storage = open_storage("gs://no-such-bucket/prefix", retry_seconds=0)
    with pytest.raises(StorageError) as caught:
        call(method, storage, tmp_path)
    assert "gs://no-such-bucket does not exist" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_down_may_come_back(monkeypatch, tmp_path, method):
    address = dead_server()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    storage = open_storage("gs://results/prefix", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        call(method, storage, tmp_path)
    assert "gs://results is not available: ConnectionError" in one_line(caught)
    assert address in str(caught.value)
    assert caught.value.exit_code == 1


REFUSED = json.dumps({"error": {"message": "No storage.objects\naccess for you."}}).encode()


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_is_final_and_names_bucket_and_remedy(answering, monkeypatch, tmp_path, status, method):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", answering(status, REFUSED))
    with pytest.raises(StorageError) as caught:
        call(method, open_storage("gs://results"), tmp_path)
    line = f"gs://results refuses: {status} No storage.objects access for you.; "
    assert one_line(caught).startswith(line)
    assert ("correct the name" if status == 400 else "roles/storage.objectUser") in str(caught.value)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("method", CALLS)
def test_a_bucket_that_wants_to_know_who_asks_is_final(answering, monkeypatch, tmp_path, method):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", answering(401, REFUSED))
    with pytest.raises(StorageError) as caught:
        call(method, open_storage("gs://results"), tmp_path)
    assert "gs://results needs Google credentials" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_that_may_pass_is_not_final(answering, monkeypatch, tmp_path, status, method):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", answering(status, b"<html>not JSON</html>"))
    storage = open_storage("gs://results", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        call(method, storage, tmp_path)
    assert f"gs://results is not available: {status} " in one_line(caught)


def test_a_download_that_stalls_is_tried_again(gs_url, gcs_server, monkeypatch, tmp_path):
    path = write_large(tmp_path / "source")
    open_storage(gs_url).create_from_file("model", path)
    monkeypatch.setattr("job.storage.gcs._TIMEOUT", (1, 1))
    with Relay(gcs_server, UPLOAD, stall_answer_after=LARGE // 2) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        open_storage(gs_url).download("model", tmp_path / "copy")
        assert relay.stalled_answers == 1
    assert digest(tmp_path / "copy") == digest(path)


def test_our_own_upload_whose_answer_was_lost_is_no_conflict(gs_url, gcs_server, monkeypatch):
    with Relay(gcs_server, UPLOAD, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        storage = open_storage(gs_url)
        storage.create("a", b"1")
        assert relay.uploads == 2
        assert storage.read("a") == b"1"


def test_our_own_swap_whose_answer_was_lost_is_no_conflict(gs_url, gcs_server, monkeypatch):
    open_storage(gs_url).create("a", b"1")
    with Relay(gcs_server, UPLOAD, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        storage = open_storage(gs_url)
        storage.replace("a", b"2", storage.read_with_version("a")[1])
        assert relay.uploads == 2
        assert storage.read("a") == b"2"


def test_another_upload_between_a_lost_one_and_its_retry_is_a_conflict(gs_url, gcs_server, monkeypatch):
    direct = open_storage(gs_url)
    direct.create("a", b"1")
    version = direct.read_with_version("a")[1]
    direct.replace("a", b"2", version)
    with Relay(gcs_server, UPLOAD, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        with pytest.raises(ConflictError):
            open_storage(gs_url).replace("a", b"3", version)
        assert relay.uploads == 2
    assert direct.read("a") == b"2"


@pytest.mark.usefixtures("gs_url")
def test_list_goes_on_after_the_first_page():
    assert list(open_storage("gs://many").list()) == [f"n{i:04}" for i in range(1005)]


def test_a_prefix_holds_only_its_own_objects(gs_url):
    outer, inner, beside = (open_storage(gs_url + end) for end in ("", "/inner/", "/inner2"))
    inner.create("a", b"1")
    beside.create("a", b"2")
    assert inner.url == f"{gs_url}/inner"
    assert list(inner.list()) == ["a"]
    assert list(outer.list()) == ["inner/a", "inner2/a"]
    assert outer.read("inner/a") == b"1"


def test_no_credentials_is_final_and_says_how_to_log_in(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(StorageError) as caught:
        open_storage("gs://results")
    assert "gcloud auth application-default login" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.usefixtures("gs_url")
def test_a_name_that_no_bucket_can_have_is_a_storage_error():
    with pytest.raises(StorageError) as caught:
        open_storage("gs://-results-")
    assert "gs://-results- is not a valid bucket name: " in one_line(caught)
    assert one_line(caught).endswith("; correct it")
