"""Running a command in a pod, over a websocket."""

import ssl
from collections.abc import Iterator
from typing import Any

import urllib3

from job.errors import SweepError
from k8s.api import answers
from k8s.api.client import READ_SECONDS, Cluster
from k8s.api.errors import UnavailableError
from k8s.api.tls import tls_context

_STDOUT, _STDERR, _STATUS = b"\x01", b"\x02", b"\x03"
"""The first byte of each frame: https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand"""


def run_in_pod(cluster: Cluster, pod: str, container: str, command: list[str]) -> Iterator[bytes]:
    """Run a command in a container of a pod, and yield what it writes to its standard output.

    Args:
        cluster: the cluster and the namespace.
        pod: the pod's name.
        container: the container's name.
        command: the program and its arguments; no shell is involved.

    Raises:
        SweepError: the command failed; the text is what it wrote to its standard error.
        UnavailableError: the connection broke off.
    """
    from websocket import ABNF, WebSocketException  # only here

    query = [("command", word) for word in command]
    query += [("container", container), ("stdout", "true"), ("stderr", "true")]
    _, url, headers, *_ = cluster.request("GET", cluster.path("pods", pod, "exec"), query)
    try:
        socket = _open_websocket(cluster, url.replace("http", "ws", 1), headers)
    except Exception as error:  # Errors of the websocket library and of the layers below it.
        raise answers.error_of_answer(0, str(error), "", cluster.host) from error
    stderr = status = b""
    try:
        socket.settimeout(READ_SECONDS)
        # The library's own WSClient keeps all data in memory and can lose the end of it.
        while (received := socket.recv_data_frame())[0] == ABNF.OPCODE_BINARY:
            channel, data = received[1].data[:1], received[1].data[1:]
            if channel == _STDOUT:
                yield data
            stderr += data if channel == _STDERR else b""
            status += data if channel == _STATUS else b""
    except (WebSocketException, OSError) as error:
        raise UnavailableError(f"the connection to the cluster broke off: {error}") from error
    finally:
        socket.shutdown()
    if answers.parse_object(status)["status"] != "Success":
        raise SweepError(stderr.decode(errors="replace") or answers.parse_object(status)["message"])


def _open_websocket(cluster: Cluster, url: str, headers: urllib3.HTTPHeaderDict) -> Any:
    """Open a websocket as the client library does, but with all headers: the library sends only the token."""
    from kubernetes.stream import ws_client

    settings = cluster.configuration
    required = ssl.CERT_REQUIRED if settings.verify_ssl else ssl.CERT_NONE
    context = tls_context(required, any_authority=not settings.ssl_ca_cert)
    if settings.ssl_ca_cert:
        context.load_verify_locations(settings.ssl_ca_cert)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    socket = ws_client.WebSocket(sslopt={"context": context, "server_hostname": settings.tls_server_name})
    own = [("Sec-WebSocket-Protocol", "v4.channel.k8s.io"), *cluster.headers]
    if "authorization" in headers:
        own.append(("Authorization", headers["authorization"]))
    header = [f"{name}: {value}" for name, value in own]
    socket.connect(url, **ws_client.websocket_proxycare({"header": header}, settings, url, headers))
    return socket
