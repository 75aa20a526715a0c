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
    """Reads a kubeconfig, and raises an error where the library would continue without credentials.

    Its `_load_from_exec_plugin` overrides the library's method, which is also called when a token has expired.
    """

    @property
    def user(self) -> dict[str, Any]:
        """The kubeconfig's entry for the context's user."""
        return dict(self._user.value) if self._user else {}

    def check_user(self) -> None:
        """Check that the context's user exists and has credentials.

        Raises:
            ConfigError: it does not.
        """
        context = self._current_context
        name = context["context"].safe_get("user")
        if name and self._user is None:
            raise ConfigError(f"the kubeconfig's context {context['name']} names a user '{name}' that is not in it")
        provider = self.user.get("auth-provider")
        if provider and "token" not in self.__dict__:
            name = provider.get("name")
            raise ConfigError(f"the auth-provider {name} of the kubeconfig's user provides no credentials")

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
    """Read the kubeconfig into the settings.

    Returns:
        The context's namespace, and the headers that each request needs.
    """
    try:
        # Like kubectl, skip an empty file among several. Read each only once: it may be a pipe.
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
    except Exception as error:  # The library documents no errors for a file that is not a kubeconfig.
        raise ConfigError(f"the kubeconfig {files} cannot be read: {error}") from error


def _is_empty(file: str) -> bool:
    path = Path(file).expanduser()
    return path.is_file() and not path.read_bytes().strip()
