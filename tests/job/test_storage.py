"""Both kinds of storage, held to the same behaviour: real files, and a real server behind gs://."""

import ctypes
import hashlib
import http.server
import json
import multiprocessing
import os
import platform
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from job.errors import (
    ConfigError,
    ConflictError,
    ObjectNotFoundError,
    StorageError,
    StorageUnavailableError,
)
from job.storage import open_storage

LARGE = 20 << 20  # more than the library sends in one request


@pytest.fixture(params=["local", "gs"])
def url(request, tmp_path):
    if request.param == "local":
        return str(tmp_path / "out")
    return request.getfixturevalue("gcs_url")


@pytest.fixture
def storage(url):
    return open_storage(url)


def one_line(caught):
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def write_large(path, size=LARGE):
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for i in range(size >> 20):
            file.write(i.to_bytes(8, "big") + block[8:])
    return path


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# What both do


@pytest.mark.parametrize("data", [b"", b"\r\n\x00\xff", b"x" * (9 << 20)], ids=["empty", "binary", "9 MiB"])
def test_a_created_object_reads_back(storage, data, tmp_path):
    storage.create("trials/0001/curve.bin", data)
    storage.download("trials/0001/curve.bin", tmp_path / "new" / "copy")
    assert storage.read("trials/0001/curve.bin") == data
    assert storage.read_with_version("trials/0001/curve.bin")[0] == data
    assert (tmp_path / "new" / "copy").read_bytes() == data
    assert storage.exists("trials/0001/curve.bin")


def test_another_instance_sees_the_object(storage, url):
    storage.create("a", b"1")
    assert open_storage(url).read("a") == b"1"


def test_create_refuses_to_change_an_object(storage):
    storage.create("a", b"first")
    with pytest.raises(ConflictError) as caught:
        storage.create("a", b"other")
    assert storage.url in one_line(caught)
    assert storage.read("a") == b"first"


def test_create_again_with_the_same_content_changes_nothing(storage):
    storage.create("a", b"first")
    version = storage.read_with_version("a")[1]
    storage.create("a", b"first")
    assert storage.read_with_version("a") == (b"first", version)


@pytest.mark.parametrize("size", [1 << 20, LARGE])
def test_create_from_file_is_create(storage, tmp_path, size):
    path = write_large(tmp_path / "source", size)
    storage.create_from_file("model.keras", path)
    storage.create_from_file("model.keras", path)
    storage.download("model.keras", tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(path)
    with path.open("r+b") as file:
        file.write(b"other")
    with pytest.raises(ConflictError):
        storage.create_from_file("model.keras", path)


def test_create_from_a_missing_file_says_so_and_creates_nothing(storage, tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.create_from_file("a", tmp_path / "missing")
    assert list(storage.list()) == []


def test_a_missing_object_is_not_found(storage, tmp_path):
    storage.create("folder/there", b"1")
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    for name in ["missing", "folder", "folder/there/below"]:
        assert not storage.exists(name)
        for read in (storage.read, storage.read_with_version, lambda name: storage.download(name, kept)):
            with pytest.raises(ObjectNotFoundError) as caught:
                read(name)
            assert name in one_line(caught)
    assert kept.read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_download_takes_the_place_of_the_file_that_was_there(storage, tmp_path):
    storage.create("a", b"new")
    (tmp_path / "copy").write_bytes(b"old and longer")
    storage.download("a", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"new"


def test_list_gives_all_below_a_folder_in_the_order_of_bytes(storage):
    names = ["a-b", "a.b", "a/b", "a/é", "a/\U0001f600", "ab", "t/1/x", "t/1/y/z", "t/12/x", "Z", "t-1"]
    for name in names:
        storage.create(name, b"")
    assert list(storage.list()) == sorted(names)
    assert list(storage.list("t")) == ["t/1/x", "t/1/y/z", "t/12/x"]
    assert list(storage.list("t/1")) == ["t/1/x", "t/1/y/z"]
    assert list(storage.list("t/1/x")) == []
    assert list(storage.list("absent/folder")) == []


def test_list_of_a_place_that_holds_nothing_is_empty(storage):
    assert list(storage.list()) == []


BAD_NAMES = ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.hidden", "a\\b", "a\0b", "a\nb", "\ud800"]


@pytest.mark.parametrize("name", [*BAD_NAMES, "x" * 241, "/".join(["x" * 200] * 4)])
def test_a_name_that_one_storage_could_not_hold_is_refused_by_both(storage, name, tmp_path):
    (tmp_path / "source").touch()
    for method in (
        storage.read,
        storage.read_with_version,
        storage.exists,
        lambda name: storage.create(name, b""),
        lambda name: storage.create_from_file(name, tmp_path / "source"),
        lambda name: storage.replace(name, b"", None),
        lambda name: storage.download(name, tmp_path / "copy"),
        lambda name: list(storage.list(name or "/")),
    ):
        with pytest.raises(ValueError, match="cannot name an object"):
            method(name)


def test_the_longest_names_can_be_written_swapped_and_listed(storage):
    name = "/".join(["é" * 120, "x" * 240, "y" * 218])
    storage.replace(name, b"1", None)
    storage.replace(name, b"2", storage.read_with_version(name)[1])
    assert list(storage.list()) == [name]


def test_replace_swaps_the_version_that_was_read(storage):
    storage.replace("lease", b"mine", None)
    data, version = storage.read_with_version("lease")
    storage.replace("lease", b"mine, longer", version)
    assert data == b"mine"
    assert storage.read("lease") == b"mine, longer"
    assert list(storage.list()) == ["lease"]


@pytest.mark.parametrize("late", [b"late", b"early"], ids=["other content", "the winner's content"])
def test_replace_refuses_a_version_that_somebody_else_swapped(storage, late):
    storage.create("lease", b"old")
    version = storage.read_with_version("lease")[1]
    storage.replace("lease", b"early", version)
    with pytest.raises(ConflictError) as caught:
        storage.replace("lease", late, version)
    assert "lease" in one_line(caught)
    assert storage.read("lease") == b"early"


@pytest.mark.parametrize("data", [b"old", b"new"])
def test_replace_of_nothing_refuses_an_object_that_exists(storage, data):
    storage.create("lease", b"old")
    with pytest.raises(ConflictError):
        storage.replace("lease", data, None)
    assert storage.read("lease") == b"old"


def test_replace_refuses_an_object_that_is_gone(storage):
    storage.create("other", b"old")
    version = storage.read_with_version("other")[1]
    with pytest.raises(ConflictError):
        storage.replace("lease", b"new", version)
    assert list(storage.list()) == ["other"]


def test_check_writable_leaves_nothing_behind(storage, tmp_path):
    storage.check_writable()
    assert list(storage.list()) == []
    assert list(tmp_path.rglob("*")) == []


def test_50_mb_stream_in_bounded_memory(storage, tmp_path):
    path = write_large(tmp_path / "source", 50 << 20)
    tracemalloc.start()
    try:
        storage.create_from_file("model", path)
        storage.download("model", tmp_path / "copy")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert digest(tmp_path / "copy") == digest(path)
    assert peak < 25 << 20


# Several writers at once


class Worker:
    """What a worker process keeps between calls."""

    barrier = None


def start_worker(barrier, prepare=None):
    Worker.barrier = barrier
    if prepare:
        prepare()


def deny_hard_links():
    """Have the kernel answer EPERM to link(2) and linkat(2) in this process, as on a file system without."""
    numbers = {"x86_64": [86, 265], "aarch64": [37]}[platform.machine()]
    steps = [(0x20, 0, 0, 0)]  # load the call's number
    steps += [(0x15, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]  # equal: to the last
    steps += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]  # allow; EPERM

    class Step(ctypes.Structure):
        _fields_ = [
            ("code", ctypes.c_ushort),
            ("jt", ctypes.c_ubyte),
            ("jf", ctypes.c_ubyte),
            ("k", ctypes.c_uint),
        ]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step))]

    program = Program(len(steps), (Step * len(steps))(*(Step(*step) for step in steps)))
    prctl = ctypes.CDLL(None).prctl
    assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert prctl(22, 2, ctypes.byref(program), 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def two_processes(prepare=None):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2, timeout=30)
    return ProcessPoolExecutor(2, context, initializer=start_worker, initargs=(barrier, prepare))


@pytest.fixture(scope="module")
def workers():
    with two_processes() as pool:
        yield pool


def open_in_worker(url, server):
    os.environ["STORAGE_EMULATOR_HOST"] = server
    return open_storage(url)


def create_twenty(url, server, data):
    storage = open_in_worker(url, server)
    won = []
    for i in range(20):
        Worker.barrier.wait()
        try:
            storage.create(f"race/{i:02}", data)
        except ConflictError:
            continue
        won.append(f"race/{i:02}")
    return won


def count_up(url, server, times):
    storage = open_in_worker(url, server)
    Worker.barrier.wait()

    def count(_):
        for _ in range(times):
            while True:
                data, version = storage.read_with_version("counter")
                try:
                    storage.replace("counter", b"%d" % (int(data) + 1), version)
                except ConflictError:
                    continue
                break

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(count, range(2)))


def race(pool, storage, server):
    contents = [b"one" * 1000, b"other" * 1000]
    runs = [pool.submit(create_twenty, storage.url, server, data) for data in contents]
    won = [run.result() for run in runs]
    names = sorted(won[0] + won[1])
    assert names == [f"race/{i:02}" for i in range(20)]
    assert list(storage.list()) == names
    for mine, data in zip(won, contents, strict=True):
        assert all(storage.read(name) == data for name in mine)


def test_each_of_20_names_has_one_winner_of_two_processes(workers, storage, gcs_server):
    race(workers, storage, gcs_server)


def test_no_increment_is_lost_between_two_processes_of_two_threads(workers, storage, gcs_server):
    storage.create("counter", b"0")
    for run in [workers.submit(count_up, storage.url, gcs_server, 8) for _ in range(2)]:
        run.result()
    assert storage.read("counter") == b"32"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_file_system_without_hard_links_has_one_winner_too(tmp_path):
    with two_processes(deny_hard_links) as pool:
        with pytest.raises(PermissionError):
            pool.submit(os.link, __file__, tmp_path / "link").result()
        race(pool, open_storage(str(tmp_path / "out")), "")


# Killed


KILLED_AT_EACH_LINE = """
import itertools, os, signal, sys
from pathlib import Path
from job.storage import open_storage

root, method = sys.argv[1:]
OLD, NEW = b"old", os.urandom(2 << 20 if method == "create_from_file" else 1000)  # two pieces of a copy

def die_at(countdown):
    def trace(frame, event, arg):
        nonlocal countdown
        if not frame.f_code.co_filename.endswith(("storage_local.py", "shutil.py")):
            return None
        countdown -= event == "line"
        if countdown < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

def write(storage):
    if method == "create_from_file":
        storage.create_from_file("a/object", source)
    else:
        storage.replace("a/object", NEW, storage.read_with_version("a/object")[1])

source = Path(root, "source")
source.write_bytes(NEW)
seen = set()
for line in itertools.count():
    storage = open_storage(f"{root}/{line}")
    if method == "replace":
        storage.create("a/object", OLD)
    child = os.fork()
    if not child:
        die_at(line)
        write(storage)
        os._exit(0)
    killed = os.waitpid(child, 0)[1] == signal.SIGKILL
    seen.add((tuple(storage.list()), storage.read("a/object") if storage.exists("a/object") else None))
    write(storage)  # the next try finds nothing in its way
    assert storage.read("a/object") == NEW
    if not killed:
        break
before = ((), None) if method == "create_from_file" else (("a/object",), OLD)
assert seen == {before, (("a/object",), NEW)}, [(names, data and len(data)) for names, data in seen]
print(line)
"""


@pytest.mark.parametrize("method", ["create_from_file", "replace"])
def test_a_kill_at_any_line_shows_the_whole_object_or_none(tmp_path, method):
    script = [sys.executable, "-c", KILLED_AT_EACH_LINE, str(tmp_path), method]
    lines = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert int(lines) > 20


class Relay:
    """A TCP relay in front of the server that fails as networks do.

    It can cut the connection instead of passing on the answers to the first uploads, and it can stop
    passing on anything after so many bytes.
    """

    def __init__(self, server, lost_answers=0, stall_after=None):
        self.lost_answers, self.stall_after = lost_answers, stall_after
        self.uploads = self.passed = 0
        self.stalled = threading.Event()
        self._server = server.removeprefix("http://")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._own = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self._own}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            host, port = self._server.split(":")
            server = socket.create_connection((host, int(port)))
            lose = threading.Event()
            for copy in (self._requests, self._answers):
                threading.Thread(target=copy, args=(client, server, lose), daemon=True).start()

    def _requests(self, client, server, lose):
        while data := self._receive(client):
            if data.startswith(b"POST /upload/"):
                self.uploads += 1
                if self.uploads <= self.lost_answers:
                    lose.set()
            self.passed += len(data)
            if self.stall_after and self.passed > self.stall_after:
                self.stalled.set()
                return
            server.sendall(data)
        server.close()

    def _answers(self, client, server, lose):
        while data := self._receive(server):
            if lose.is_set():
                break
            # The server tells clients to send the pieces of a large upload straight to itself.
            client.sendall(data.replace(*(f"Location: http://{at}".encode() for at in (self._server, self._own))))
        client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _receive(connection):
        try:
            return connection.recv(1 << 16)
        except OSError:
            return b""


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


# Local folders


def test_a_folder_may_be_relative_and_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = open_storage("./out")
    monkeypatch.chdir("/")
    storage.create("a", b"1")
    assert storage.url == "./out"
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


def test_files_have_the_modes_of_the_umask(tmp_path):
    storage = open_storage(str(tmp_path / "out"))
    umask = os.umask(0o027)
    try:
        storage.create("t/a", b"1")
        storage.replace("t/a", b"2", storage.read_with_version("t/a")[1])
        storage.create("t/b", b"1")
        storage.download("t/b", tmp_path / "copy")
    finally:
        os.umask(umask)
    for path in [tmp_path / "out/t/a", tmp_path / "out/t/b", tmp_path / "copy"]:
        assert oct(path.stat().st_mode & 0o777) == oct(0o640)
    assert oct((tmp_path / "out/t").stat().st_mode & 0o777) == oct(0o750)


def test_list_leaves_out_what_is_no_object(tmp_path):
    storage = open_storage(str(tmp_path))
    storage.create("t/a", b"1")
    for other in [".x", "t/.a.lock", ".git/config", "t/back\\slash"]:
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).touch()
    assert list(storage.list()) == ["t/a"]


def test_a_create_leaves_no_temporary_file(tmp_path):
    storage = open_storage(str(tmp_path))
    storage.create("a", b"1")
    with pytest.raises(ConflictError):
        storage.create("a", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


UNWRITABLE = ["{file}", "{file}/below/it", "{dangling}", "/proc/nowhere/at/all", "/sys/xor-sweep"]


@pytest.mark.parametrize("place", UNWRITABLE)
def test_a_folder_that_cannot_be_written_is_known_before_and_during_a_run(tmp_path, place):
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "dangling").symlink_to(tmp_path / "none" / "there")
    url = place.format(file=tmp_path / "file", dangling=tmp_path / "dangling")
    storage = open_storage(url)
    with pytest.raises(ConfigError) as before:
        storage.check_writable()
    with pytest.raises(StorageError) as during:
        storage.create("a", b"1")
    for caught in (before, during):
        assert url in one_line(caught)
    assert (before.value.exit_code, during.value.exit_code) == (2, 5)
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_an_object_in_the_way_of_a_folder_and_the_reverse_are_storage_errors(tmp_path):
    storage = open_storage(str(tmp_path))
    storage.create("a/b", b"1")
    for name in ["a/b/c", "a"]:
        with pytest.raises(StorageError) as caught:
            storage.create(name, b"1")
        assert "in the way" in one_line(caught)


WRITE_TOO_MUCH = """
import resource, sys
from job.errors import StorageError
from job.storage import open_storage
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
storage = open_storage(sys.argv[1])
storage.create("small", b"1")
for write in (storage.create, lambda name, data: storage.replace(name, data, None)):
    try:
        write("large", bytes(2 << 20))
    except StorageError as error:
        print(type(error).__name__, error)
from pathlib import Path
print(*(path.name for path in Path(sys.argv[1]).iterdir()))
"""


@pytest.mark.parametrize("fault", ["limit", "full disk"])
def test_a_write_that_the_disk_refuses_says_why_and_leaves_nothing(tmp_path, fault):
    command = [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path), fault]
    if fault == "full disk":
        mount = [
            "unshare",
            "-rm",
            "sh",
            "-c",
            'mount -t tmpfs -o size=1m none "$0" && exec "$@"',
            str(tmp_path),
        ]
        if subprocess.run([*mount, "true"], check=False, capture_output=True).returncode:
            pytest.skip("no small file system can be mounted here")
        command = mount + command
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    reason = {"limit": "File too large; raise", "full disk": "No space left on device; free"}[fault]
    assert len(lines) == 3
    for line in lines[:2]:
        assert line.startswith(f"StorageError cannot write {tmp_path}/large: {reason}")
    assert lines[2] == "small"


# Buckets


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


# URLs


BAD_URLS = ["", " ", "./out ", "a\nb", "a\0b", "s3://bucket/x", "http://host/x", "gs:/bucket", "GS://bucket"]


@pytest.mark.parametrize("url", [*BAD_URLS, "gs://", "gs:///x", "gs://bucket//x", "gs://bucket/../x"])
def test_a_url_that_means_no_storage_is_refused_with_what_would_be_right(url):
    with pytest.raises(ConfigError) as caught:
        open_storage(url)
    assert "gs://bucket/prefix" in one_line(caught)
    assert caught.value.exit_code == 2


def test_the_google_library_is_imported_only_for_a_bucket(tmp_path):
    script = """
        import sys
        from job.storage import open_storage
        open_storage(sys.argv[1]).create("a", b"1")
        assert not [name for name in sys.modules if name.startswith("google")]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], check=True)
