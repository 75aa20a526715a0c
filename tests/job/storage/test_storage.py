"""All backends, held to the same behaviour: real files, and a real server behind each scheme."""

import ctypes
import multiprocessing
import os
import platform
import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from storages import LARGE, digest, one_line, write_large

from job.errors import ConfigError, ConflictError, ObjectNotFoundError
from job.storage import PLACES, SCHEMES, is_url, is_within_reach, open_storage


@pytest.fixture(params=["local", *SCHEMES])
def url(request):
    return request.getfixturevalue(f"{request.param}_url")  # tests/conftest.py has them.


@pytest.fixture
def storage(url):
    return open_storage(url)


# What all do


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


def test_create_refuses_to_change_an_object(storage, url):
    storage.create("a", b"first")
    with pytest.raises(ConflictError) as caught:
        storage.create("a", b"other")
    assert one_line(caught) == f"{url}/a already exists with different content"
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
def test_a_name_that_one_backend_could_not_hold_is_refused_by_all(storage, name, tmp_path):
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
def test_replace_refuses_a_version_that_somebody_else_swapped(storage, url, late):
    storage.create("lease", b"old")
    version = storage.read_with_version("lease")[1]
    storage.replace("lease", b"early", version)
    with pytest.raises(ConflictError) as caught:
        storage.replace("lease", late, version)
    assert one_line(caught) == f"{url}/lease has changed since it was read: another process wrote it"
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


def open_in_worker(url, environment):
    os.environ.update(environment)
    return open_storage(url)


def create_twenty(url, environment, data):
    storage = open_in_worker(url, environment)
    won = []
    for i in range(20):
        Worker.barrier.wait()
        try:
            storage.create(f"race/{i:02}", data)
        except ConflictError:
            continue
        won.append(f"race/{i:02}")
    return won


def count_up(url, environment, times):
    storage = open_in_worker(url, environment)
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


def race(pool, storage):
    contents = [b"one" * 1000, b"other" * 1000]
    runs = [pool.submit(create_twenty, storage.url, dict(os.environ), data) for data in contents]
    won = [run.result() for run in runs]
    names = sorted(won[0] + won[1])
    assert names == [f"race/{i:02}" for i in range(20)]
    assert list(storage.list()) == names
    for mine, data in zip(won, contents, strict=True):
        assert all(storage.read(name) == data for name in mine)


def test_each_of_20_names_has_one_winner_of_two_processes(workers, storage):
    race(workers, storage)


def test_no_increment_is_lost_between_two_processes_of_two_threads(workers, storage):
    storage.create("counter", b"0")
    for run in [workers.submit(count_up, storage.url, dict(os.environ), 8) for _ in range(2)]:
        run.result()
    assert storage.read("counter") == b"32"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_file_system_without_hard_links_has_one_winner_too(tmp_path):
    with two_processes(deny_hard_links) as pool:
        with pytest.raises(PermissionError):
            pool.submit(os.link, __file__, tmp_path / "link").result()
        race(pool, open_storage(str(tmp_path / "out")))


# URLs


BAD_URLS = [
    "",
    " ",
    "./out ",
    "a\nb",
    "a\0b",
    "az://bucket/x",
    "http://host/x",
    *(bad.format(scheme) for scheme in SCHEMES for bad in ("{}:/bucket", "{}:b/x")),
    *(f"{scheme.upper()}://bucket" for scheme in SCHEMES),
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_means_no_storage_is_refused_with_what_would_be_right(url):
    with pytest.raises(ConfigError) as caught:
        open_storage(url)
    assert PLACES in one_line(caught)
    assert all(f"{scheme}://bucket/prefix" in PLACES for scheme in SCHEMES)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("rest", ["", "/x", "bucket//x", "bucket/../x"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_url_without_a_bucket_or_with_a_wrong_prefix_is_refused_with_what_would_be_right(scheme, rest):
    with pytest.raises(ConfigError) as caught:
        open_storage(f"{scheme}://{rest}")
    assert f"{scheme}://bucket/prefix" in one_line(caught)


def test_a_backend_says_whether_its_objects_are_files_of_this_machine(storage, url, tmp_path):
    assert is_url(url) == (storage.local_root is None)
    assert storage.local_root in (None, tmp_path / "out")
    assert open_storage(storage.url_of("runs")).url == storage.url_of("runs") == f"{url}/runs"
    if is_url(url):
        assert storage.fetch_command("a b").endswith(f" '{url}/a b' .")


def test_what_may_be_read_from_here_is_in_a_bucket_or_in_a_folder_that_has_it(storage, url):
    assert is_within_reach(url, "runs/demo") == is_url(url)
    storage.create("runs/demo/sweep.json", b"{}")
    assert is_within_reach(url, "runs/demo")
    assert is_within_reach(url, "runs/demo/sweep.json")


def test_a_backends_library_is_imported_only_for_its_bucket(tmp_path):
    script = """
        import sys
        from job.storage import open_storage
        open_storage(sys.argv[1]).create("a", b"1")
        assert not [name for name in sys.modules if name.startswith(("google", "botocore"))]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], check=True)
