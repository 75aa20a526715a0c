"""Reading a kubeconfig: the cluster, the namespace and the credentials of its context."""

import os
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
from kubernetes.config.dateutil import parse_rfc3339
from kubernetes.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from job.errors import ConfigError
from k8s.api.credentials import ask_plugin, impersonation


class _KubeconfigLoader(KubeConfigLoader):
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


def load_kubeconfig(settings: Any, files: str, context: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Read the kubeconfig into the settings; return the context's namespace, and each request's headers."""
    try:
        # As kubectl does, an empty file among several is passed over. Each is read once: it may be a pipe.
        merged = KubeConfigMerger(os.pathsep.join(file for file in files.split(os.pathsep) if not _is_empty(file)))
        if merged.config is None:
            raise ConfigError(f"the kubeconfig {files} is empty")
        known = [item["name"] for item in merged.config["contexts"].value]
        if context and context not in known:
            raise ConfigError(f"the kubeconfig has no context '{context}'; its contexts: {', '.join(known)}")
        loader = _KubeconfigLoader(merged.config, active_context=context, config_base_path=None)
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
