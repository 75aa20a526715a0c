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
        kubeconfig: a file, or several joined as in KUBECONFIG; by default, ~/.kube/config.
        context: one of its contexts; by default, its current one.
        namespace: the namespace; by default, the context's or the pod's own.

    Raises:
        ConfigError: there is no cluster to talk to; no request has been sent yet.
    """
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise ConfigError(f"{namespace!r} is not a valid namespace: use only lowercase letters, digits and '-'")
    settings = kubernetes.client.Configuration()
    files = kubeconfig or str(Path("~/.kube/config").expanduser())
    # `exists`, not `is_file`: a kubeconfig may come through a pipe.
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
            "no cluster found: there is no ~/.kube/config, and this is not a pod with a service account token; "
            "name a kubeconfig with --kubeconfig or KUBECONFIG"
        ) from error
    # The program itself waits and retries; the library would try three times at once and print warnings.
    settings.retries = False
    settings.keep_alive = True
    api = _client(settings)
    api.rest_client.pool_manager.pool_classes_by_scheme = {
        "http": urllib3.HTTPConnectionPool,
        "https": TLSConnectionPool,
    }
    if (
        not settings.verify_ssl
    ):  # The kubeconfig asks for it (insecure-skip-tls-verify); kubectl does not warn, either.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Cluster(api, namespace or own, headers)


def _client(settings: Any) -> kubernetes.client.ApiClient:
    try:
        with warnings.catch_warnings(action="ignore"):  # The error below says what is missing for a SOCKS proxy.
            return kubernetes.client.ApiClient(settings)
    except ImportError:
        raise ConfigError(
            f"the proxy {settings.proxy} cannot be used: name an http proxy (proxy-url, HTTPS_PROXY), or forward "
            "the API's port through an ssh tunnel (ssh -L)"
        ) from None
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise ConfigError(f"the proxy {settings.proxy} cannot be used: {error}") from None
