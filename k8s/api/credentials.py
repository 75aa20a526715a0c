"""What a kubeconfig says of its user that the client library passes over: the credential plugin, impersonation."""

import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from job.errors import ConfigError

_HEADERS = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
_IN_A_HEADERS_NAME = "!#$&'*+^`|"
"""What may stand there unescaped beside what `quote` leaves alone."""


def impersonation(user: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the headers that say as whom the kubeconfig's user acts; a name may come several times.

    Raises:
        ConfigError: groups or more are given without a user, or what cannot be sent.
    """
    headers = [(header, user[key]) for key, header in _HEADERS.items() if user.get(key)]
    headers += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    for name, values in (user.get("as-user-extra") or {}).items():
        # Go's HTTP server, which the API is, knows no capital letters in names of headers.
        header = f"Impersonate-Extra-{quote(name.lower(), safe=_IN_A_HEADERS_NAME)}"
        headers += [(header, value) for value in values]
    if headers and not user.get("as"):
        raise ConfigError("the kubeconfig impersonates groups, a uid or more without a user: give `as`, too")
    for header, value in headers:
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            raise ConfigError(f"the kubeconfig's {header} {value!r} cannot be sent: it takes printable ASCII")
    return headers


def ask_plugin(plugin: dict[str, Any], cluster: dict[str, Any], folder: str) -> dict[str, Any]:
    """Run a credential plugin; return the `status` of its answer.

    Args:
        plugin: the `exec` of the kubeconfig's user.
        cluster: the kubeconfig's cluster.
        folder: the kubeconfig's, in which a relative command is looked for.

    Raises:
        ConfigError: there is no such program, or it gives no credentials; the text has its own words.
    """
    command, version = plugin.get("command"), plugin.get("apiVersion")
    if not command or not version:
        raise ConfigError("the kubeconfig's credential plugin (`exec`) lacks its command or apiVersion")
    interactive = plugin.get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_for_plugin(cluster)
    info = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
    own = {item["name"]: item["value"] for item in plugin.get("env") or ()}
    try:
        # On a terminal a plugin may ask the person something, and says so on standard error.
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
        words = f"answers in the version {answer.get('apiVersion')}, the kubeconfig asks for {version}"
        raise _no_credentials(plugin, words)
    return dict(status)


def _cluster_for_plugin(cluster: dict[str, Any]) -> dict[str, Any]:
    extensions = {item["name"]: item.get("extension") for item in cluster.get("extensions") or ()}
    config = extensions.get("client.authentication.k8s.io/exec")
    return {**cluster, "config": config} if config else cluster


def _no_credentials(plugin: dict[str, Any], what: str, said: bytes | None = None) -> ConfigError:
    words = [(said or b"").decode(errors="replace"), plugin.get("installHint") or ""]
    told = "; ".join(" ".join(each.split()) for each in words if each.strip())
    name = plugin["command"]
    return ConfigError(f"the kubeconfig's credential plugin {name} {what}{f': {told}' if told else ''}")
