"""Finding the cluster as kubectl does: by a kubeconfig, or in a pod by its service account."""

import os
import re
import warnings
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import urllib3

from job.errors import ConfigError
from k8s.api.client import Cluster
from k8s.api.kubeconfig import load_kubeconfig
from k8s.api.tls import TLSConnectionPool

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


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
            own, headers = load_kubeconfig(settings, files, context)
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
    # The watches' own backoff count; a library that tries three times at once and prints warnings would not help.
    settings.retries = False
    settings.keep_alive = True
    api = _client(settings)
    api.rest_client.pool_manager.pool_classes_by_scheme = {
        "http": urllib3.HTTPConnectionPool,
        "https": TLSConnectionPool,
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
