"""Credential plugins and impersonation in a kubeconfig, which the client library ignores or mishandles."""

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from job.errors import ConfigError
from job.wording import one_line

_HEADERS = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
_IN_A_HEADERS_NAME = "!#$&'*+^`|"
"""Characters that a header's name may contain unescaped, besides those that `quote` leaves alone."""


def impersonation(user: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the headers for the identity that the kubeconfig's user impersonates; a name may occur several times.

    Raises:
        ConfigError: groups or other fields are given without a user, or a value cannot be sent.
    """
    headers = [(header, user[key]) for key, header in _HEADERS.items() if user.get(key)]
    headers += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    for name, values in (user.get("as-user-extra") or {}).items():
        # The API decodes the key from the header's name, in which HTTP does not preserve capital letters.
        header = f"Impersonate-Extra-{quote(name.lower(), safe=_IN_A_HEADERS_NAME)}"
        headers += [(header, value) for value in values]
    if headers and not user.get("as"):
        raise ConfigError("the kubeconfig impersonates groups, a UID or extra fields but no user: set `as`, too")
    for header, value in headers:
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            raise ConfigError(
                f"the kubeconfig's {header} {value!r} cannot be sent: only printable ASCII is allowed"
            )
    return headers


def ask_plugin(plugin: dict[str, Any], cluster: dict[str, Any], folder: str) -> dict[str, Any]:
    """Run a credential plugin and return the `status` of its answer.

    Args:
        plugin: the `exec` of the kubeconfig's user.
        cluster: the kubeconfig's cluster.
        folder: the kubeconfig's folder, to which a relative command refers.

    Raises:
        ConfigError: there is no such program, or it provides no credentials; the text includes its own message.
    """
    command, version = plugin.get("command"), plugin.get("apiVersion")
    if not command or not version:
        raise ConfigError("the kubeconfig's credential plugin (`exec`) has no command or no apiVersion")
    interactive = plugin.get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_for_plugin(cluster)
    info = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
    own = {item["name"]: item["value"] for item in plugin.get("env") or ()}
    try:
        # On a terminal, a plugin may ask the user something, and does so on standard error.
        ended = subprocess.run(  # noqa: S603
            [command, *(plugin.get("args") or ())],
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            cwd=folder or None,
            env={**os.environ, **own, "KUBERNETES_EXEC_INFO": info},
            check=False,
        )
    except OSError as error:
        raise _no_credentials(plugin, f"cannot be run: {error.strerror}") from None
    if ended.returncode:
        raise _no_credentials(plugin, f"failed (exit code {ended.returncode})", ended.stderr)
    try:
        answer = json.loads(ended.stdout)
        status = answer["status"]
        complete = status.get("token") or (status["clientCertificateData"] and status["clientKeyData"])
    except (ValueError, KeyError, TypeError, AttributeError):
        complete = None
    if not complete:
        words = "printed no credentials (an ExecCredential as JSON, with a token or a certificate and its key)"
        raise _no_credentials(plugin, words, ended.stderr)
    if answer.get("apiVersion") != version:
        words = f"answered in version {answer.get('apiVersion')}, but the kubeconfig asks for {version}"
        raise _no_credentials(plugin, words)
    return dict(status)


def _cluster_for_plugin(cluster: dict[str, Any]) -> dict[str, Any]:
    extensions = {item["name"]: item.get("extension") for item in cluster.get("extensions") or ()}
    config = extensions.get("client.authentication.k8s.io/exec")
    return {**cluster, "config": config} if config else cluster


def _no_credentials(plugin: dict[str, Any], what: str, said: bytes | None = None) -> ConfigError:
    words = [(said or b"").decode(errors="replace"), plugin.get("installHint") or ""]
    explanation = "; ".join(one_line(each) for each in words if each.strip())
    error = f"the kubeconfig's credential plugin {plugin['command']} {what}"
    return ConfigError(f"{error}: {explanation}" if explanation else error)
