"""Reads the API's answers: JSON, lines as they arrive, and the messages of its errors."""

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from job.errors import ConfigError, SweepError
from k8s.api.errors import UnavailableError, error_of_status


class Response(Protocol):
    """An answer whose content has not been read yet."""

    data: bytes

    def stream(self, amt: int | None) -> Iterator[bytes]:
        """Yield the content in parts, as they arrive."""

    def close(self) -> None:
        """Close the connection."""


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that the API sent.

    Raises:
        UnavailableError: the answer was cut short.
    """
    try:
        value = json.loads(data)
    except ValueError:
        raise UnavailableError("the cluster's answer was cut short") from None
    if not isinstance(value, dict):
        raise SweepError("the cluster's answer is not a JSON object")
    return value


def response_lines(response: Response) -> Iterator[bytes]:
    """Yield the lines of a response as they arrive; closing this generator closes the connection."""
    rest = b""
    try:
        for part in response.stream(amt=None):
            *whole, rest = (rest + part).split(b"\n")
            yield from whole
        if rest:
            yield rest
    finally:
        response.close()


def error_of_answer(status: int, reason: str, body: str, host: str) -> SweepError:
    """Return the error for a request that failed.

    Args:
        status: the HTTP status, or 0 if there was none.
        reason: the reason that HTTP or the client library gives.
        body: the API's own explanation, a Status object as JSON.
        host: the cluster's URL.
    """
    if status:
        return error_of_status(status, _status_message(body) or reason)
    if found := re.search(
        r"Handshake status (\d+) ([\w ]+)", reason
    ):  # From a websocket, whose message ends with the API's own.
        return error_of_status(
            int(found[1]), _status_message(reason[reason.find('{"kind"') :].strip("'b")) or found[2]
        )
    kind = ConfigError if "CERTIFICATE" in reason else UnavailableError
    return kind(f"cannot connect securely to the cluster at {host}: {reason}")


def error_text(error: BaseException) -> str:
    """Return the text of an error, without the library's objects that it begins with."""
    words = error.args[-1] if len(error.args) > 1 else error
    return str(words).rpartition(": ")[2] or type(error).__name__


def _status_message(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
