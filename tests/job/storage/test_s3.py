"""Results in an S3 bucket: a real server, and others that refuse, lose answers or are not there."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.session import Session
from storages import CALLS, LARGE, Relay, call, dead_server, digest, one_line, write_large

from job.errors import ConfigError, ConflictError, StorageError, StorageUnavailableError
from job.storage import open_storage

UPLOAD = rb"PUT /results/"
LAST_OF_A_LARGE_UPLOAD = rb"POST /results/\S+\?uploadId="
ENDPOINT = "AWS_ENDPOINT_URL_S3"


def refused(code, message="No access\nfor you."):
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


@pytest.fixture
def asked(s3_environment, monkeypatch):
    """Have s3:// lead to the server of this URL."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return lambda server: monkeypatch.setenv(ENDPOINT, server)


CREATE_FROM_FILE = """
import sys
from pathlib import Path
from job.storage import open_storage
open_storage(sys.argv[1]).create_from_file("model", Path(sys.argv[2]))
"""


def test_a_kill_in_a_large_upload_leaves_nothing(s3_url, s3_server, tmp_path):
    path = write_large(tmp_path / "source")
    with Relay(s3_server, UPLOAD, stall_after=LARGE // 2) as relay:
        environment = {**os.environ, ENDPOINT: relay.url}
        child = subprocess.Popen([sys.executable, "-c", CREATE_FROM_FILE, s3_url, path], env=environment)
        stalled = relay.stalled.wait(30)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        assert stalled
    storage = open_storage(s3_url)
    assert list(storage.list()) == []
    storage.create_from_file("model", path)
    assert list(storage.list()) == ["model"]


@pytest.mark.usefixtures("s3_url")
@pytest.mark.parametrize("method", CALLS)
def test_a_missing_bucket_is_final(tmp_path, method):
    storage = open_storage("s3://no-such-bucket/prefix", retry_seconds=0)
    with pytest.raises(StorageError) as caught:
        call(method, storage, tmp_path)
    assert "s3://no-such-bucket does not exist" in one_line(caught)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("method", CALLS)
def test_a_server_that_is_down_may_come_back(asked, tmp_path, method):
    address = dead_server()
    asked(address)
    storage = open_storage("s3://results/prefix", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        call(method, storage, tmp_path)
    assert "s3://results is not available: EndpointConnectionError" in one_line(caught)
    assert f"(asked {address} for 0 s)" in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (403, "AccessDenied", "give this account s3:ListBucket, s3:GetObject, s3:PutObject"),
        (403, "InvalidAccessKeyId", "run 'aws configure' or 'aws sso login'"),
        (400, "ExpiredToken", "run 'aws configure' or 'aws sso login'"),
        (400, "InvalidRequest", "correct the name of the bucket or its settings"),
        (501, "NotImplemented", "correct the name of the bucket or its settings"),
    ],
)
def test_a_refusal_is_final_and_names_bucket_and_remedy(answering, asked, tmp_path, status, code, remedy, method):
    asked(answering(status, refused(code)))
    with pytest.raises(StorageError) as caught:
        call(method, open_storage("s3://results"), tmp_path)
    assert one_line(caught).startswith("s3://results ")
    if method != "exists":  # HEAD: its answer has no words.
        assert f": {status} No access for you.; {remedy}" in str(caught.value)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(("status", "code"), [(429, "TooManyRequests"), (503, "SlowDown"), (400, "RequestTimeout")])
def test_an_answer_that_may_pass_is_not_final(answering, asked, tmp_path, status, code, method):
    if (status, method) == (400, "exists"):
        pytest.skip("the answer to HEAD is a number only, and of this one nobody can say whether it may pass")
    asked(answering(status, refused(code)))
    storage = open_storage("s3://results", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        call(method, storage, tmp_path)
    assert f"s3://results is not available: {status} " in one_line(caught)


@pytest.mark.parametrize("method", CALLS)
def test_an_answer_in_another_language_is_not_final(answering, asked, tmp_path, method):
    asked(answering(503, b"<html>not XML"))
    storage = open_storage("s3://results", retry_seconds=0)
    with pytest.raises(StorageUnavailableError) as caught:
        call(method, storage, tmp_path)
    assert "s3://results is not available: 503 " in one_line(caught)


def test_our_own_upload_whose_answer_was_lost_is_no_conflict(s3_url, s3_server, asked):
    with Relay(s3_server, UPLOAD, lost_answers=1) as relay:
        asked(relay.url)
        storage = open_storage(s3_url)
        storage.create("a", b"1")
        assert relay.uploads == 2
        assert storage.read("a") == b"1"


def test_our_own_large_upload_whose_answer_was_lost_is_no_conflict(s3_url, s3_server, asked, tmp_path):
    path = write_large(tmp_path / "source")
    direct = open_storage(s3_url)
    with Relay(s3_server, LAST_OF_A_LARGE_UPLOAD, lost_answers=1) as relay:
        asked(relay.url)
        open_storage(s3_url).create_from_file("model", path)
        assert relay.uploads == 2
    direct.download("model", tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(path)


def test_our_own_swap_whose_answer_was_lost_is_no_conflict(s3_url, s3_server, asked):
    open_storage(s3_url).create("a", b"1")
    with Relay(s3_server, UPLOAD, lost_answers=1) as relay:
        asked(relay.url)
        storage = open_storage(s3_url)
        storage.replace("a", b"2", storage.read_with_version("a")[1])
        assert relay.uploads == 2
        assert storage.read("a") == b"2"


def test_another_upload_between_a_lost_one_and_its_retry_is_a_conflict(s3_url, s3_server, asked):
    direct = open_storage(s3_url)
    direct.create("a", b"1")
    version = direct.read_with_version("a")[1]
    direct.replace("a", b"2", version)
    with Relay(s3_server, UPLOAD, lost_answers=1) as relay:
        asked(relay.url)
        with pytest.raises(ConflictError):
            open_storage(s3_url).replace("a", b"3", version)
        assert relay.uploads == 2
    assert direct.read("a") == b"2"


def test_a_download_that_stalls_is_tried_again(s3_url, s3_server, asked, monkeypatch, tmp_path):
    path = write_large(tmp_path / "source")
    open_storage(s3_url).create_from_file("model", path)
    monkeypatch.setattr("job.storage.s3._READ_SECONDS", 1)
    with Relay(s3_server, UPLOAD, stall_answer_after=LARGE // 2) as relay:
        asked(relay.url)
        open_storage(s3_url).download("model", tmp_path / "copy")
        assert relay.stalled_answers == 1
    assert digest(tmp_path / "copy") == digest(path)


def test_a_download_that_stalls_for_good_leaves_the_file_that_was_there(
    s3_url, s3_server, asked, monkeypatch, tmp_path
):
    open_storage(s3_url).create("model", b"x" * LARGE)
    (tmp_path / "copy").write_bytes(b"kept")
    monkeypatch.setattr("job.storage.s3._READ_SECONDS", 1)
    with Relay(s3_server, UPLOAD, stall_answer_after=LARGE // 2) as relay:
        asked(relay.url)
        with pytest.raises(StorageUnavailableError) as caught:
            open_storage(s3_url, retry_seconds=0).download("model", tmp_path / "copy")
    assert "s3://results is not available: " in one_line(caught)
    assert (tmp_path / "copy").read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_list_goes_on_after_the_first_page(s3_url):
    storage = open_storage(s3_url)
    names = [f"n{i:04}" for i in range(1005)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: storage.create(name, b""), names))
    assert list(storage.list()) == names


@pytest.mark.parametrize("size", [1, 9 << 20])
def test_a_page_is_served_as_a_page(s3_url, size):
    storage = open_storage(s3_url)
    storage.create("report/index.html", b"x" * size)
    bucket, _, key = storage.url_of("report/index.html").removeprefix("s3://").partition("/")
    client = Session().create_client("s3")
    assert client.head_object(Bucket=bucket, Key=key)["ContentType"] == "text/html"


def test_a_prefix_holds_only_its_own_objects(s3_url):
    outer, inner, beside = (open_storage(s3_url + end) for end in ("", "/inner/", "/inner2"))
    inner.create("a", b"1")
    beside.create("a", b"2")
    assert inner.url == f"{s3_url}/inner"
    assert list(inner.list()) == ["a"]
    assert list(outer.list()) == ["inner/a", "inner2/a"]
    assert outer.read("inner/a") == b"1"


def test_a_server_that_ignores_conditions_is_refused_and_gets_its_probe_back(answering, asked):
    asked(answering(200, b"<ListBucketResult/>"))
    with pytest.raises(StorageError) as caught:
        open_storage("s3://results").check_writable()
    assert "s3://results ignores If-Match" in one_line(caught)
    assert caught.value.exit_code == 5


ELSEWHERE = {"AWS_CONFIG_FILE": "nowhere", "AWS_SHARED_CREDENTIALS_FILE": "nowhere"}


@pytest.mark.parametrize(
    ("environment", "error", "words"),
    [
        ({"AWS_EC2_METADATA_DISABLED": "true"}, StorageError, "and there are none: run 'aws configure'"),
        ({"AWS_ACCESS_KEY_ID": "half"}, StorageError, "missing: AWS_SECRET_ACCESS_KEY; run 'aws configure'"),
        ({"AWS_PROFILE": "nobody"}, ConfigError, "(nobody) could not be found; correct AWS_PROFILE"),
        ({"AWS_REGION": "no region"}, ConfigError, "correct AWS_PROFILE, AWS_REGION or ~/.aws/config"),
        ({ENDPOINT: "localhost:9000"}, ConfigError, "Invalid endpoint: localhost:9000; AWS_ENDPOINT_URL must"),
    ],
)
def test_what_is_wrong_in_the_environment_is_said_with_what_would_be_right(monkeypatch, environment, error, words):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**ELSEWHERE, **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(error) as caught:
        open_storage("s3://results/prefix")
    assert one_line(caught).startswith("s3://results")
    assert words in str(caught.value)


@pytest.mark.usefixtures("s3_url")
def test_a_name_that_no_bucket_can_have_is_a_storage_error():
    with pytest.raises(StorageError) as caught:
        open_storage("s3://a!b").check_writable()
    assert "s3://a!b is not a valid bucket name" in one_line(caught)


@pytest.fixture
def role_token(s3_url, monkeypatch, tmp_path):  # noqa: ARG001 - an environment with a server
    """The file that should hold a role's token; the environment has no other credentials."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/sweep")
    return tmp_path / "token"


def test_a_token_that_cannot_be_one_is_no_fault_of_the_buckets_name(role_token):
    role_token.write_text("x")
    with pytest.raises(StorageError) as caught:
        open_storage("s3://results").check_writable()
    assert "s3://results needs AWS credentials, and the ones found cannot be used" in one_line(caught)


def test_a_token_whose_file_is_missing_is_named(role_token):
    with pytest.raises(StorageError) as caught:
        open_storage("s3://results").check_writable()
    assert f"the ones found cannot be used: No such file or directory: {role_token}; run 'aws" in one_line(caught)


def test_without_its_library_one_line_says_what_to_install():
    script = """
        import sys
        sys.modules["botocore"] = None
        from job.errors import ConfigError
        from job.storage import open_storage
        try:
            open_storage("s3://bucket")
        except ConfigError as error:
            print(error)
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert said.stdout == "s3:// needs botocore, which is not installed: install xor-sweep[s3]\n", said.stderr
