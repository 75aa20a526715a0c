"""A kubeconfig as kubectl reads it: certificates, tokens, plugins, impersonation, proxies."""

import base64
import json
import subprocess
import sys

import pytest
from jobs import create, refused, sweep_job

from job.errors import SweepError
from k8s.api.connect import connect
from k8s.api.errors import RefusedError
from k8s.api.exec import run_in_pod


@pytest.mark.parametrize("content", ["", "nonsense", "a: [", "clusters: 7", '{"current-context": "x"}', "\x00\xff"])
def test_a_file_that_is_no_kubeconfig_is_refused(xor_sweep, tmp_path, content):
    (tmp_path / "config").write_text(content)
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", tmp_path / "config"))
    assert code == 2
    assert str(tmp_path / "config") in line


def test_without_any_kubeconfig_and_outside_a_pod_it_says_how_to_name_one(xor_sweep, tmp_path):
    code, line = refused(xor_sweep("status", "demo", KUBECONFIG="", HOME=str(tmp_path)))
    assert code == 2
    assert "--kubeconfig or KUBECONFIG" in line


def test_a_cluster_with_another_authoritys_certificate_is_not_trusted(xor_sweep, kubeconfig, tmp_path):
    settings = json.loads(kubeconfig.read_text())
    cluster = settings["clusters"][0]["cluster"]
    del cluster["certificate-authority-data"]
    (tmp_path / "config").write_text(json.dumps(settings))
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", tmp_path / "config"))
    assert code == 2
    assert line.startswith("cannot connect securely to the cluster at ")


def test_a_cluster_whose_certificate_is_not_to_be_checked_is_not_checked_in_silence(
    xor_sweep, kubeconfig, namespace, tmp_path
):
    create(namespace, sweep_job("unchecked", "exit 0", neurons=[1], parallelism=0))
    settings = json.loads(kubeconfig.read_text())
    cluster = settings["clusters"][0]["cluster"]
    del cluster["certificate-authority-data"]
    cluster["insecure-skip-tls-verify"] = True
    (tmp_path / "config").write_text(json.dumps(settings))
    said = xor_sweep("status", "unchecked", "--kubeconfig", tmp_path / "config")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("unchecked-r1: ")


def test_a_token_that_the_cluster_does_not_know_is_refused(xor_sweep, kubeconfig, tmp_path):
    settings = json.loads(kubeconfig.read_text())
    settings["users"][0]["user"] = {"token": "nonsense"}
    (tmp_path / "config").write_text(json.dumps(settings))
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", tmp_path / "config"))
    assert code == 2
    assert line.startswith("the cluster does not accept these credentials: ")


@pytest.fixture
def changed(kubeconfig, tmp_path):
    """Write a kubeconfig whose cluster and user have more, or other, settings; give its path."""

    def change(user=None, cluster=None, credentials=True, users=None):
        settings = json.loads(kubeconfig.read_text())
        own = settings["users"][0]["user"] if credentials else {}
        settings["users"][0]["user"] = {**own, **(user or {})}
        settings["users"] = settings["users"] if users is None else users
        settings["clusters"][0]["cluster"] |= cluster or {}
        (tmp_path / "config").write_text(json.dumps(settings))
        return tmp_path / "config"

    return change


def test_who_is_impersonated_is_whom_the_cluster_asks_for_its_rights(xor_sweep, changed):
    config = changed({"as": "nobody-at-all", "as-groups": ["one", "two"], "as-uid": "7"})
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", config))
    assert code == 2
    assert 'User "nobody-at-all" cannot list resource "jobs"' in line


def test_every_group_that_is_impersonated_counts(changed):
    for groups in (["one", "system:masters"], ["system:masters", "one"]):
        extra = {"example.com/Reason": ["a", "b"]}
        cluster = connect(str(changed({"as": "somebody", "as-groups": groups, "as-user-extra": extra})))
        assert cluster.read("configmaps", "kube-root-ca.crt")
    cluster = connect(str(changed({"as": "somebody", "as-groups": ["one", "two"]})))
    with pytest.raises(RefusedError, match='User "somebody" cannot'):
        cluster.read("configmaps", "kube-root-ca.crt")


def test_a_command_in_a_pod_is_run_as_who_is_impersonated(namespace, changed):
    for user, words in (({"as": "nobody-at-all"}, 'User "nobody-at-all" cannot'), ({}, "pods .no-such-pod. not f")):
        cluster = connect(str(changed(user)), namespace=namespace)
        with pytest.raises(SweepError, match=words):
            list(run_in_pod(cluster, "no-such-pod", "trial", ["true"]))


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"as-groups": ["one"]}, "but no user: set `as`, too"),
        ({"as": "some\nbody"}, "cannot be sent: only printable ASCII is allowed"),
    ],
)
def test_an_impersonation_that_cannot_be_is_refused(xor_sweep, changed, user, words):
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", changed(user)))
    assert code == 2
    assert words in line


def credential(**status):
    return json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})


def plugin(script, **more):
    own = {"command": "sh", "args": ["-c", script], "apiVersion": "client.authentication.k8s.io/v1"}
    return {"exec": {**own, "installHint": "get it\nfrom example.com", "interactiveMode": "Never", **more}}


HINT = "get it from example.com"


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (plugin("", command="no-such-plugin"), f"no-such-plugin cannot be run: No such file or directory: {HINT}"),
        (plugin("echo log in >&2; exit 3"), f"sh failed (exit code 3): log in; {HINT}"),
        (plugin("echo junk"), "sh printed no credentials (an ExecCredential as JSON"),
        (
            plugin(f"echo '{credential()}'"),
            "sh printed no credentials (an ExecCredential as JSON, with a token or a ",
        ),
        (plugin("", apiVersion=None), "credential plugin (`exec`) has no command or no apiVersion"),
    ],
    ids=["missing", "fails", "junk", "nothing", "no version"],
)
def test_a_credential_plugin_that_gives_none_is_told_and_nothing_is_asked(xor_sweep, changed, proxy, user, words):
    server = json.loads(proxy.kubeconfig.read_text())["clusters"][0]["cluster"]
    config = changed(user, cluster=server, credentials=False)
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", config))
    assert code == 2
    assert words in line
    assert proxy.connections == 0


def test_the_credentials_of_a_plugin_are_used(namespace, account, kubeconfig, changed):
    maps = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    own = json.loads(account("plugged", maps).read_text())["users"][0]["user"]
    certificate = json.loads(kubeconfig.read_text())["users"][0]["user"]
    pair = {
        "clientCertificateData": base64.b64decode(certificate["client-certificate-data"]).decode(),
        "clientKeyData": base64.b64decode(certificate["client-key-data"]).decode(),
    }
    for status in ({"token": own["token"]}, pair):
        given = {"name": "GIVEN", "value": credential(**status)}
        user = plugin('test "$KUBERNETES_EXEC_INFO" && printf %s "$GIVEN"', env=[given], provideClusterInfo=True)
        cluster = connect(str(changed(user, credentials=False)), namespace=namespace)
        assert cluster.read("configmaps", "kube-root-ca.crt")


def test_a_context_whose_user_is_not_there_is_refused(xor_sweep, changed):
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", changed(users=[])))
    assert code == 2
    assert "that is not in it" in line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("socks5://localhost:1080", "name an http proxy"),
        ("ftp://localhost", "the proxy ftp://localhost cannot be used"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused(xor_sweep, changed, url, words):
    code, line = refused(xor_sweep("status", "demo", "--kubeconfig", changed(cluster={"proxy-url": url})))
    assert code == 2
    assert words in line


def test_a_kubeconfig_may_come_through_a_pipe_and_an_empty_file_among_several_is_passed_over(kubeconfig, tmp_path):
    asks = (
        "import sys; from k8s.api.connect import connect; "
        "connect(sys.argv[1]).read('configmaps', 'kube-root-ca.crt')"
    )
    (tmp_path / "empty").write_text("\n")
    for files in ("/dev/stdin", f"{tmp_path}/empty:{kubeconfig}"):
        words = [sys.executable, "-c", asks, files]
        said = subprocess.run(words, input=kubeconfig.read_bytes(), capture_output=True, check=False)
        assert said.returncode == 0, said.stderr


def test_the_namespace_is_the_contexts_own_where_none_is_named(kubeconfig, tmp_path):
    assert connect(str(kubeconfig)).namespace == "default"
    settings = json.loads(kubeconfig.read_text())
    settings["contexts"][0]["context"]["namespace"] = "elsewhere"
    (tmp_path / "config").write_text(json.dumps(settings))
    assert connect(str(tmp_path / "config")).namespace == "elsewhere"
