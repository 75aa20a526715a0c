"""The Kubernetes API of one namespace: the only importer of `kubernetes`, whose errors become ours here.

Objects are what the API sends, parsed JSON: the client library's own classes for them take a second and a
half to import and several times the memory, and `kubectl get -o json` shows a person the same.
"""

import os
import re
import ssl
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.config.dateutil import parse_rfc3339
from kubernetes.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from k8s.api import answers
from k8s.api.credentials import ask_plugin, impersonation
from k8s.api.errors import RefusedError, UnavailableError, error_of_status

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

PATHS = {
    "configmaps": "/api/v1",
    "cronjobs": "/apis/batch/v1",
    "events": "/api/v1",
    "jobs": "/apis/batch/v1",
    "pods": "/api/v1",
    "workloads": "/apis/kueue.x-k8s.io/v1beta1",
}
"""The kinds of objects that are asked for, and where the API has them."""

PAGE = 500
"""Objects in a page of a list, as kubectl takes them: about 4 MB of pods."""

CONNECT_SECONDS, READ_SECONDS = 10, 60
WATCH_SECONDS = 60
"""A watch is asked anew this often: a connection that died unseen (a laptop that slept) is found by then."""

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class _Connection(urllib3.connection.HTTPSConnection):
    """A connection that checks certificates as kubectl does, with a context of its own.

    Each connection loads the client's certificate into its context: two threads that did so to one context at
    once would corrupt memory.
    """

    def connect(self) -> None:
        required = urllib3.util.ssl_.resolve_cert_reqs(self.cert_reqs)
        self.ssl_context = _tls_context(required, any_authority=not (self.ca_certs or self.ca_cert_data))
        super().connect()


class _ConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


def _tls_context(required: int, *, any_authority: bool) -> ssl.SSLContext:
    """Return a context that checks certificates as kubectl does.

    Python 3.13 also refuses a cluster's certificate authority whose own certificate lacks an extension (key
    usage, authority key identifier), as those of older clusters do.
    """
    context: ssl.SSLContext = urllib3.util.ssl_.create_urllib3_context(cert_reqs=required)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if any_authority:
        context.load_default_certs()
    return context


class _Loader(KubeConfigLoader):
    """Reads a kubeconfig; where the library goes on without credentials, it says what is wrong.

    Its `_load_from_exec_plugin` goes before the library's of that name, also when a token has expired.
    """

    @property
    def user(self) -> dict[str, Any]:
        """What the kubeconfig says of the context's user."""
        return dict(self._user.value) if self._user else {}

    def check_user(self) -> None:
        """Refuse a user that is not there, or whose credentials cannot be had."""
        context = self._current_context
        name = context["context"].safe_get("user")
        if name and self._user is None:
            raise ConfigError(f"the kubeconfig's context {context['name']} names a user '{name}' that is not in it")
        provider = self.user.get("auth-provider")
        if provider and "token" not in self.__dict__:
            name = provider.get("name")
            raise ConfigError(f"the auth-provider {name} of the kubeconfig's user gives no credentials")

    def _load_from_exec_plugin(self) -> bool:
        if "exec" not in self.user:
            return False
        status = ask_plugin(self.user["exec"], self._cluster.value, self._get_base_path(self._user.path))
        if token := status.get("token"):
            self.token = f"Bearer {token}"
        if status.get("clientCertificateData"):
            self.cert_file, self.key_file = (
                FileOrData(status, None, data_key_name=key, base64_file_content=False).as_file()
                for key in ("clientCertificateData", "clientKeyData")
            )
        if expires := status.get("expirationTimestamp"):
            self.expiry = parse_rfc3339(expires)
        return True


@dataclass(frozen=True)
class Page:
    """A part of a list."""

    items: list[Object]
    version: str
    """From which version a watch goes on after the whole list."""


class Cluster:
    """One namespace of one cluster. Threads may share it.

    Every method may raise RefusedError (401, 403), UnavailableError, and SweepError for what else goes wrong.
    """

    def __init__(
        self, api: kubernetes.client.ApiClient, namespace: str, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Take the library's client, and the headers that each request has; `connect` makes one."""
        self._api = api
        self._headers = tuple(headers)
        self.namespace = namespace
        self.host = str(api.configuration.host)

    def read(self, kind: str, name: str) -> Object:
        """Return an object.

        Raises:
            ObjectNotFoundError: there is none of that name.
        """
        with self._errors_in_words():
            return answers.parsed(self._ask("GET", self._path(kind, name)).data)

    def pages(self, kind: str, *, labels: str = "", fields: str = "", limit: int = PAGE) -> Iterator[Page]:
        """Yield a list page by page; all pages show the same moment.

        Raises:
            ExpiredError: the caller took longer over it than the API keeps that moment (minutes).
        """
        query: dict[str, object] = {"labelSelector": labels, "fieldSelector": fields, "limit": limit}
        while True:
            with self._errors_in_words():
                found = answers.parsed(self._ask("GET", self._path(kind), query).data)
            about = found["metadata"]
            yield Page(found["items"], about["resourceVersion"])
            if not about.get("continue"):
                return
            query["continue"] = about["continue"]

    def each(self, kind: str, *, labels: str = "", fields: str = "") -> Iterator[Object]:
        """Yield the objects of a list, holding one page of them at a time."""
        for page in self.pages(kind, labels=labels, fields=fields):
            yield from page.items

    def watch(self, kind: str, version: str, *, labels: str = "", fields: str = "") -> Iterator[Object]:
        """Yield the changes since a version (`type` and `object`), for at most `WATCH_SECONDS`.

        The first is a BOOKMARK with that version: the API has begun to answer.

        Raises:
            ExpiredError: the API no longer has that version: list again.
        """
        query = {
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": version,
            "timeoutSeconds": WATCH_SECONDS,
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        with self._errors_in_words():
            response = self._ask("GET", self._path(kind), query, read_seconds=WATCH_SECONDS + CONNECT_SECONDS)
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
            for line in answers.lines(response):
                change = answers.parsed(line)
                if change["type"] == "ERROR":
                    raise error_of_status(change["object"].get("code"), change["object"].get("message", ""))
                yield change

    def log(self, pod: str, **options: object) -> Iterator[bytes]:
        """Yield the lines of a pod's log.

        Args:
            pod: the pod's name.
            options: the API's own: `container`, `follow`, `previous`, `tailLines`, `sinceTime`, `timestamps`.

        Raises:
            ObjectNotFoundError: there is no such pod.
            UnavailableError: the log, or the connection, broke off.
        """
        with self._errors_in_words():
            yield from answers.lines(self._ask("GET", self._path("pods", pod, "log"), options))

    def create(self, kind: str, body: Object) -> Object:
        """Create an object.

        Raises:
            ConflictError: it exists.
        """
        with self._errors_in_words():
            return answers.parsed(self._ask("POST", self._path(kind), body=body).data)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object; where it is gone already, nothing happens."""
        with suppress(ObjectNotFoundError), self._errors_in_words():
            self._ask("DELETE", self._path(kind, name)).close()

    def execute(self, pod: str, command: list[str]) -> Iterator[bytes]:
        """Run a command in a pod, and yield what it writes to its standard output.

        Raises:
            SweepError: the command failed; the text is what it wrote to its standard error.
            UnavailableError: the connection broke.
        """
        from websocket import ABNF, WebSocketException  # only here

        query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
        _, url, headers, *_ = self._request("GET", self._path("pods", pod, "exec"), query)
        try:
            socket = self._websocket(url.replace("http", "ws", 1), headers)
        except Exception as error:  # The websocket library's own, and those below it.
            raise answers.error_of(0, str(error), "", self.host) from error
        complaint = ending = b""
        try:
            socket.settimeout(READ_SECONDS)
            # The library's own WSClient would hold all that has come, and can lose the end of it.
            while (received := socket.recv_data_frame())[0] == ABNF.OPCODE_BINARY:
                channel, data = received[1].data[:1], received[1].data[1:]
                if channel == b"\x01":
                    yield data
                complaint += data if channel == b"\x02" else b""
                ending += data if channel == b"\x03" else b""
        except (WebSocketException, OSError) as error:
            raise UnavailableError(f"the connection to the cluster broke off: {error}") from error
        finally:
            socket.shutdown()
        if answers.parsed(ending)["status"] != "Success":
            raise SweepError(complaint.decode(errors="replace") or answers.parsed(ending)["message"])

    def _path(self, kind: str, name: str = "", part: str = "") -> str:
        parts = [PATHS[kind], "namespaces", self.namespace, kind, name, part]
        return "/".join(filter(None, parts))

    def _request(self, method: str, path: str, query: list[tuple[str, str]], body: Object | None = None) -> Any:
        method, url, headers, *content = self._api.param_serialize(
            method,
            path,
            query_params=query,
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        every = urllib3.HTTPHeaderDict(headers)
        for name, value in self._headers:
            every.add(name, value)  # The groups that are impersonated are a header each, of one name.
        return method, url, every, *content

    def _websocket(self, url: str, headers: urllib3.HTTPHeaderDict) -> Any:
        """Open a websocket as the library does, which sends no headers of ours but the token."""
        from kubernetes.stream import ws_client

        settings = self._api.configuration
        required = ssl.CERT_REQUIRED if settings.verify_ssl else ssl.CERT_NONE
        context = _tls_context(required, any_authority=not settings.ssl_ca_cert)
        if settings.ssl_ca_cert:
            context.load_verify_locations(settings.ssl_ca_cert)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        socket = ws_client.WebSocket(sslopt={"context": context, "server_hostname": settings.tls_server_name})
        own = [("Sec-WebSocket-Protocol", "v4.channel.k8s.io"), *self._headers]
        if "authorization" in headers:
            own.append(("Authorization", headers["authorization"]))
        header = [f"{name}: {value}" for name, value in own]
        socket.connect(url, **ws_client.websocket_proxycare({"header": header}, settings, url, headers))
        return socket

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        body: Object | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> answers.Response:
        """Send a request; the response's content is still to be read."""
        asked = [(name, _word(value)) for name, value in (query or {}).items() if value]
        request = self._request(method, path, asked, body)
        # Who follows a log may wait for its next line for long; TCP's keep-alive finds a connection that died.
        seconds = None if ("follow", "true") in asked else read_seconds
        answer = self._api.call_api(*request, _request_timeout=(CONNECT_SECONDS, seconds))
        if not 200 <= answer.status <= 299:
            raise answers.error_of(answer.status, answer.reason, answer.read().decode(), self.host)
        response: answers.Response = answer.response
        return response

    @contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise answers.error_of(error.status or 0, str(error.reason), "", self.host) from error
        except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            words = answers.words_of(error)
            raise UnavailableError(f"the cluster at {self.host} does not answer: {words}") from error
        except kubernetes.config.ConfigException as error:
            raise RefusedError(f"the kubeconfig gives no credentials: {error}") from error


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def connect(kubeconfig: str | None = None, context: str | None = None, namespace: str | None = None) -> Cluster:
    """Find the cluster as kubectl does: by a kubeconfig, or in a pod by its service account.

    Args:
        kubeconfig: a file, or several joined as in KUBECONFIG; left out, ~/.kube/config.
        context: one of its contexts; left out, its current one.
        namespace: left out, the context's or the pod's own.

    Raises:
        ConfigError: there is no cluster to talk to; nothing was asked of one yet.
    """
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise ConfigError(f"{namespace!r} cannot be a namespace: its name has small letters, digits and '-' only")
    settings = kubernetes.client.Configuration()
    files = kubeconfig or str(Path("~/.kube/config").expanduser())
    # Not only files: a kubeconfig may come through a pipe.
    exists = any(Path(file).expanduser().exists() for file in files.split(os.pathsep) if file)
    headers: list[tuple[str, str]] = []
    try:
        if exists:
            own, headers = _load_kubeconfig(settings, files, context)
        elif kubeconfig or context:
            raise ConfigError(f"there is no kubeconfig {files}")
        else:
            kubernetes.config.load_incluster_config(client_configuration=settings)
            own = _NAMESPACE_FILE.read_text().strip()
    except kubernetes.config.ConfigException as error:
        if exists:
            raise ConfigError(f"the kubeconfig {files} cannot be used: {error}") from error
        raise ConfigError(
            "no cluster: there is no ~/.kube/config, and this is no pod with a service account's token; "
            "name a kubeconfig with --kubeconfig or KUBECONFIG"
        ) from error
    # The watches' own pauses count; a library that tries three times at once and prints warnings would not help.
    settings.retries = False
    settings.keep_alive = True
    api = _client(settings)
    api.rest_client.pool_manager.pool_classes_by_scheme = {
        "http": urllib3.HTTPConnectionPool,
        "https": _ConnectionPool,
    }
    if not settings.verify_ssl:  # The kubeconfig says so (insecure-skip-tls-verify); kubectl does not warn either.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Cluster(api, namespace or own, headers)


def _client(settings: Any) -> kubernetes.client.ApiClient:
    try:
        with warnings.catch_warnings(action="ignore"):  # What lacks for socks is told below.
            return kubernetes.client.ApiClient(settings)
    except ImportError:
        raise ConfigError(
            f"the proxy {settings.proxy} cannot be used: name an http proxy (proxy-url, HTTPS_PROXY), or forward "
            "the API's port through an ssh tunnel (ssh -L)"
        ) from None
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise ConfigError(f"the proxy {settings.proxy} cannot be used: {error}") from None


def _load_kubeconfig(settings: Any, files: str, context: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Read the kubeconfig into the settings; return the context's namespace, and each request's headers."""
    try:
        # As kubectl does, an empty file among several is passed over. Each is read once: it may be a pipe.
        merged = KubeConfigMerger(os.pathsep.join(file for file in files.split(os.pathsep) if not _is_empty(file)))
        if merged.config is None:
            raise ConfigError(f"the kubeconfig {files} is empty")
        known = [item["name"] for item in merged.config["contexts"].value]
        if context and context not in known:
            raise ConfigError(f"the kubeconfig has no context '{context}'; its contexts: {', '.join(known)}")
        loader = _Loader(merged.config, active_context=context, config_base_path=None)
        loader.load_and_set(settings)
        loader.check_user()
        return str(loader.current_context["context"].get("namespace") or "default"), impersonation(loader.user)
    except (ConfigError, kubernetes.config.ConfigException):
        raise
    except Exception as error:  # What a file that is no kubeconfig makes the library stumble over is not told.
        raise ConfigError(f"the kubeconfig {files} cannot be read: {error}") from error


def _is_empty(file: str) -> bool:
    path = Path(file).expanduser()
    return path.is_file() and not path.read_bytes().strip()
