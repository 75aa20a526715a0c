"""What the tests of storage share: large files, every method, and servers that refuse, lose answers or stall."""

import hashlib
import http.server
import os
import re
import socket
import threading
from contextlib import contextmanager, suppress

from job.storage import Storage

LARGE = 20 << 20  # more than the library sends in one request


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


def _every_call(storage, path):
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


CALLS = [name for name, value in vars(Storage).items() if getattr(value, "__isabstractmethod__", False)][1:]
"""The names of the methods that reach the storage: all that a backend must have but its __init__."""


def call(method, storage, folder):
    """Call a method of a storage with arguments that are right; a source file for it comes into the folder."""
    _every_call(storage, folder / "source")[method]()


@contextmanager
def answering(status, body):
    """Run a server that gives one answer to whatever it is asked; its URL."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def dead_server():
    """Return the URL of a server that is down."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class Relay:
    """A TCP relay in front of the server that fails as networks do.

    It can cut the connection instead of passing on the answers to the first uploads, it can stop passing on
    anything that is sent after so many bytes, and it can stop in the middle of the first long answer.

    Args:
        server: the server's URL.
        upload: a pattern of how a request begins that counts as an upload.
        lost_answers: so many uploads get no answer.
        stall_after: so many bytes are sent on in all.
        stall_answer_after: so many bytes of the first answer that is longer come back.
    """

    def __init__(self, server, upload, lost_answers=0, stall_after=None, stall_answer_after=None):
        self.lost_answers, self.stall_after, self.stall_answer_after = lost_answers, stall_after, stall_answer_after
        self.uploads = self.passed = self.stalled_answers = 0
        self._upload = re.compile(upload)
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
            if self._upload.match(data):
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
        passed = 0
        while data := self._receive(server):
            if lose.is_set() and not data.startswith(b"HTTP/1.1 100 "):  # That only asks for the body.
                break
            passed += len(data)
            if self.stall_answer_after and passed > self.stall_answer_after and not self.stalled_answers:
                self.stalled_answers = 1
                return
            # The server tells clients to send the pieces of a large upload straight to itself.
            client.sendall(data.replace(*(f"Location: http://{at}".encode() for at in (self._server, self._own))))
        with suppress(OSError):  # A client that has left needs no farewell.
            client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _receive(connection):
        try:
            return connection.recv(1 << 16)
        except OSError:
            return b""
