"""Results in a bucket: a real server, and others that refuse, lose answers or are not there."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from storages import LARGE, Relay, one_line, write_large

from job.errors import ConflictError, StorageError, StorageUnavailableError
from job.storage import open_storage

CREATE_FROM_FILE = """
import sys
from pathlib import Path
from job.storage import open_storage
open_storage(sys.argv[1]).create_from_file("model", Path(sys.argv[2]))
"""


def test_a_kill_in_a_large_upload_leaves_nothing(gcs_url, gcs_server, tmp_path):
    path = write_large(tmp_path / "source")
    with Relay(gcs_server, stall_after=LARGE // 2) as relay:
        environment = {**os.environ, "STORAGE_EMULATOR_HOST": relay.url}
        child = subprocess.Popen([sys.executable, "-c", CREATE_FROM_FILE, gcs_url, path], env=environment)
        stalled = relay.stalled.wait(30)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        assert stalled
    storage = open_storage(gcs_url)
    assert list(storage.list()) == []
    storage.create_from_file("model", path)
    assert list(storage.list()) == ["model"]


def every_call(storage, path):
    path.write_bytes(b"1")
    return {
        "check_writable": storage.check_writable,
        "create": lambda: storage.create("a", b"1"),
        "create_from_file": lambda: storage.create_from_file("a", path),
        "replace": lambda: storage.replace("a", b"1", "7"),
        "read": lambda: storage.read("a"),
        "read_with_version": lambda: storage.read_with_version("a"),
        "download": lambda: storage.download("a", path.with_name("copy")),
        "exists": lambda: storage.exists("a"),
        "list": lambda: list(storage.list()),
    }


CALLS = list(every_call(open_storage("unused"), type("", (), {"write_bytes": lambda *_: 0})()))


@pytest.mark.usefixtures("gcs_url")
@pytest.mark.parametrize("call", CALLS)
def test_a_missing_bucket_is_final(tmp_path, call):
    storage = open_storage("gs://no-such-bucket/prefix", retry_seconds=0)
    with pytest.raises(StorageError) as caught:
        every_call(storage, tmp_path / "source")[call]()
    assert "gs://no-such-bucket does not exist" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_down_may_come_back(monkeypatch, tmp_path, call):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    storage = open_storage("gs://results/prefix", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        every_call(storage, tmp_path / "source")[call]()
    assert "gs://results is not available: ConnectionError" in one_line(caught)
    assert address in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.fixture
def answering(monkeypatch):
    """A server that gives one answer to whatever it is asked."""
    servers = []

    def start(status, body):
        class Answer(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


REFUSED = json.dumps({"error": {"message": "No storage.objects\naccess for you."}}).encode()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_is_final_and_names_bucket_and_remedy(answering, tmp_path, status, call):
    answering(status, REFUSED)
    with pytest.raises(StorageError) as caught:
        every_call(open_storage("gs://results"), tmp_path / "source")[call]()
    line = f"gs://results refuses: {status} No storage.objects access for you.; "
    assert one_line(caught).startswith(line)
    assert ("correct the name" if status == 400 else "roles/storage.objectUser") in str(caught.value)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_wants_to_know_who_asks_is_final(answering, tmp_path, call):
    answering(401, REFUSED)
    with pytest.raises(StorageError) as caught:
        every_call(open_storage("gs://results"), tmp_path / "source")[call]()
    assert "gs://results needs Google credentials" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_that_may_pass_is_not_final(answering, tmp_path, status, call):
    answering(status, b"<html>not JSON</html>")
    storage = open_storage("gs://results", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        every_call(storage, tmp_path / "source")[call]()
    assert f"gs://results is not available: {status} " in one_line(caught)


def test_our_own_upload_whose_answer_was_lost_is_no_conflict(gcs_url, gcs_server, monkeypatch):
    with Relay(gcs_server, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        storage = open_storage(gcs_url)
        storage.create("a", b"1")
        assert relay.uploads == 2
        assert storage.read("a") == b"1"


def test_our_own_swap_whose_answer_was_lost_is_no_conflict(gcs_url, gcs_server, monkeypatch):
    open_storage(gcs_url).create("a", b"1")
    with Relay(gcs_server, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        storage = open_storage(gcs_url)
        storage.replace("a", b"2", storage.read_with_version("a")[1])
        assert relay.uploads == 2
        assert storage.read("a") == b"2"


def test_another_upload_between_a_lost_one_and_its_retry_is_a_conflict(gcs_url, gcs_server, monkeypatch):
    direct = open_storage(gcs_url)
    direct.create("a", b"1")
    version = direct.read_with_version("a")[1]
    direct.replace("a", b"2", version)
    with Relay(gcs_server, lost_answers=1) as relay:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", relay.url)
        with pytest.raises(ConflictError):
            open_storage(gcs_url).replace("a", b"3", version)
        assert relay.uploads == 2
    assert direct.read("a") == b"2"


@pytest.mark.usefixtures("gcs_url")
def test_list_goes_on_after_the_first_page():
    assert list(open_storage("gs://many").list()) == [f"n{i:04}" for i in range(1005)]


def test_a_prefix_holds_only_its_own_objects(gcs_url):
    outer, inner, beside = (open_storage(gcs_url + end) for end in ("", "/inner/", "/inner2"))
    inner.create("a", b"1")
    beside.create("a", b"2")
    assert inner.url == f"{gcs_url}/inner"
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


@pytest.mark.usefixtures("gcs_url")
def test_a_name_that_no_bucket_can_have_is_a_storage_error():
    with pytest.raises(StorageError) as caught:
        open_storage("gs://-results-")
    assert "gs://-results-" in one_line(caught)
