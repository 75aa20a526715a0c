"""The Kubernetes API of one namespace; the client library's errors become the program's own here.

Objects are the JSON that the API sends: the client library's own classes for them take a second and a half to
import and several times the memory, and `kubectl get -o json` shows the same JSON.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import kubernetes.client
import kubernetes.config
import urllib3
from kubernetes.client.exceptions import ApiException

from job.errors import ObjectNotFoundError
from k8s.api import answers
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
"""The kinds of objects that the program reads, and their paths in the API."""
LIST_PAGE_SIZE = 500
"""The number of objects in a page of a list, the same as kubectl's: about 4 MB of pods."""
CONNECT_SECONDS, READ_SECONDS = 10, 60
WATCH_SECONDS = 60
"""How long a watch lasts before a new one begins, so that a dead connection (a laptop that slept) is noticed."""


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    items: list[Object]
    version: str
    """The version from which a watch continues after the whole list."""


class Cluster:
    """One namespace of one cluster. Threads may share it.

    Every method may raise RefusedError (401, 403), UnavailableError, and SweepError for anything else.
    """

    def __init__(
        self, api: kubernetes.client.ApiClient, namespace: str, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Take the library's client and additional headers for each request; `connect` makes a Cluster."""
        self._api = api
        self.configuration = api.configuration
        """The library's settings: certificates, credentials, proxy."""
        self.headers = tuple(headers)
        """Headers of each request besides the credentials: whom to impersonate."""
        self.namespace = namespace
        self.host = str(api.configuration.host)

    def read(self, kind: str, name: str) -> Object:
        """Return an object.

        Raises:
            ObjectNotFoundError: there is no object of that name.
        """
        with self._translated_errors():
            return answers.parse_object(self._ask("GET", self.path(kind, name)).data)

    def list_pages(
        self, kind: str, *, labels: str = "", fields: str = "", limit: int = LIST_PAGE_SIZE
    ) -> Iterator[Page]:
        """Yield a list page by page; all pages show the list at the same moment.

        Raises:
            ExpiredError: the caller took longer than the API keeps that moment (minutes).
        """
        query: dict[str, object] = {"labelSelector": labels, "fieldSelector": fields, "limit": limit}
        while True:
            with self._translated_errors():
                found = answers.parse_object(self._ask("GET", self.path(kind), query).data)
            about = found["metadata"]
            yield Page(found["items"], about["resourceVersion"])
            if not about.get("continue"):
                return
            query["continue"] = about["continue"]

    def list_objects(self, kind: str, *, labels: str = "", fields: str = "") -> Iterator[Object]:
        """Yield the objects of a list; only one page of them is in memory at a time."""
        for page in self.list_pages(kind, labels=labels, fields=fields):
            yield from page.items

    def watch(self, kind: str, version: str, *, labels: str = "", fields: str = "") -> Iterator[Object]:
        """Yield the changes since a version (`type` and `object`), for at most `WATCH_SECONDS`.

        The first one is a BOOKMARK with that version, which shows that the API has begun to answer.

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
        with self._translated_errors():
            response = self._ask("GET", self.path(kind), query, read_seconds=WATCH_SECONDS + CONNECT_SECONDS)
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
            for line in answers.response_lines(response):
                change = answers.parse_object(line)
                if change["type"] == "ERROR":
                    raise error_of_status(change["object"].get("code"), change["object"].get("message", ""))
                yield change

    def log(self, pod: str, **options: object) -> Iterator[bytes]:
        """Yield the lines of a pod's log.

        Args:
            pod: the pod's name.
            options: the API's own options, such as `container`, `follow`, `tailLines`, `sinceTime` or `timestamps`.

        Raises:
            ObjectNotFoundError: there is no such pod.
            UnavailableError: the log or the connection broke off.
        """
        with self._translated_errors():
            yield from answers.response_lines(self._ask("GET", self.path("pods", pod, "log"), options))

    def create(self, kind: str, body: Object) -> Object:
        """Create an object.

        Raises:
            ConflictError: it exists.
        """
        with self._translated_errors():
            return answers.parse_object(self._ask("POST", self.path(kind), body=body).data)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, unless it is gone already."""
        with suppress(ObjectNotFoundError), self._translated_errors():
            self._ask("DELETE", self.path(kind, name)).close()

    def path(self, kind: str, name: str = "", part: str = "") -> str:
        """Return the path of a kind, of one of its objects, or of a part of that, such as its log."""
        parts = [PATHS[kind], "namespaces", self.namespace, kind, name, part]
        return "/".join(filter(None, parts))

    def request(self, method: str, path: str, query: list[tuple[str, str]], body: Object | None = None) -> Any:
        """Return a request with its credentials: method, URL, headers, and its content."""
        method, url, headers, *content = self._api.param_serialize(
            method,
            path,
            query_params=query,
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        every = urllib3.HTTPHeaderDict(headers)
        for name, value in self.headers:
            every.add(name, value)  # Each impersonated group is a header of its own, all with the same name.
        return method, url, every, *content

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        body: Object | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> answers.Response:
        """Send a request; the caller reads the content of the response."""
        asked = [(name, _query_value(value)) for name, value in (query or {}).items() if value]
        request = self.request(method, path, asked, body)
        # The next line of a followed log may take long; TCP's keep-alive detects a dead connection.
        seconds = None if ("follow", "true") in asked else read_seconds
        answer = self._api.call_api(*request, _request_timeout=(CONNECT_SECONDS, seconds))
        if not 200 <= answer.status <= 299:
            raise answers.error_of_answer(answer.status, answer.reason, answer.read().decode(), self.host)
        response: answers.Response = answer.response
        return response

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise answers.error_of_answer(error.status or 0, str(error.reason), "", self.host) from error
        except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            words = answers.error_text(error)
            raise UnavailableError(f"the cluster at {self.host} does not answer: {words}") from error
        except kubernetes.config.ConfigException as error:
            raise RefusedError(f"the kubeconfig provides no credentials: {error}") from error


def _query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
