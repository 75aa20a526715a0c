"""Results in a local folder: what a folder can do to them that a bucket cannot."""

import errno
import os
import subprocess
import sys

import pytest
from storages import one_line

from job.errors import ConfigError, ConflictError, StorageError, StorageUnavailableError
from job.storage import open_storage

KILLED_AT_EACH_LINE = """
import itertools, os, signal, sys
from pathlib import Path
from job.storage import open_storage

root, method = sys.argv[1:]
OLD, NEW = b"old", os.urandom(2 << 20 if method == "create_from_file" else 1000)  # two pieces of a copy

def die_at(countdown):
    def trace(frame, event, arg):
        nonlocal countdown
        if not frame.f_code.co_filename.endswith(("storage/local.py", "shutil.py")):
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


def test_a_folder_may_be_relative_and_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = open_storage("./out")
    monkeypatch.chdir("/")
    storage.create("a", b"1")
    assert storage.url == "./out"
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


def test_the_home_folder_of_nobody_is_refused_with_what_would_be_right():
    with pytest.raises(ConfigError) as caught:
        open_storage("~no-such-user/out")
    words = "there is no user ~no-such-user; for a local folder of that name, write './~no-such-user/out'"
    assert one_line(caught) == f"'~no-such-user/out': {words}"


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


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.ETIMEDOUT])
def test_a_file_system_that_fails_for_a_moment_is_no_wrong_folder(tmp_path, monkeypatch, number):
    def fail(**_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    with pytest.raises(StorageUnavailableError) as caught:
        open_storage(str(tmp_path)).check_writable()
    assert os.strerror(number) in one_line(caught)
    assert caught.value.exit_code == 1


def test_an_object_in_the_way_of_a_folder_and_the_reverse_are_storage_errors(tmp_path):
    storage = open_storage(str(tmp_path))
    storage.create("a/b", b"1")
    for name in ["a/b/c", "a"]:
        with pytest.raises(StorageError) as caught:
            storage.create(name, b"1")
        assert "another file or folder already has that name" in one_line(caught)


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
