"""Reading what the API answers: JSON, lines as they come, and what its errors say."""

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from job.errors import ConfigError, SweepError
from k8s.api.errors import UnavailableError, error_of_status


class Response(Protocol):
    """An answer whose content is still to be read."""

    data: bytes

    def stream(self, amt: int | None) -> Iterator[bytes]:
        """Yield the content in parts, as they come."""

    def close(self) -> None:
        """End the connection."""


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that the API sent.

    Raises:
        UnavailableError: it is cut off.
    """
    try:
        value = json.loads(data)
    except ValueError:
        raise UnavailableError("the cluster's answer broke off") from None
    if not isinstance(value, dict):
        raise SweepError("the cluster's answer is no object")
    return value


def response_lines(response: Response) -> Iterator[bytes]:
    """Yield the lines of a response as they come; closing this generator ends the connection."""
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
    """Return the error for an answer that is none.

    Args:
        status: the HTTP status; 0 where there was not even that.
        reason: what HTTP, or the library, says of it.
        body: what the API says of it: a Status object.
        host: the cluster's URL.
    """
    if status:
        return error_of_status(status, _status_message(body) or reason)
    if found := re.search(
        r"Handshake status (\d+) ([\w ]+)", reason
    ):  # A websocket's; it ends with the API's words.
        return error_of_status(
            int(found[1]), _status_message(reason[reason.find('{"kind"') :].strip("'b")) or found[2]
        )
    kind = ConfigError if "CERTIFICATE" in reason else UnavailableError
    return kind(f"no safe connection to the cluster at {host}: {reason}")


def error_text(error: BaseException) -> str:
    """Return the words of an error without the library's objects that it names first."""
    words = error.args[-1] if len(error.args) > 1 else error
    return str(words).rpartition(": ")[2] or type(error).__name__


def _status_message(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
