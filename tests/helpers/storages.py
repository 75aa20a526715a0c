"""What the tests of storage share: large files, their digests, and a relay in front of the server that fails."""

import hashlib
import os
import socket
import threading

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
