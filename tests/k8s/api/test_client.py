"""The cluster's API: its releases found, its refusals in one line, its changes followed."""

import itertools
import subprocess
import sys
import threading

import pytest
from jobs import create, kubectl, refused, sweep_job

from job.errors import ObjectNotFoundError
from k8s.api.client import PATHS, Cluster
from k8s.api.connect import connect
from k8s.api.errors import ExpiredError, RefusedError, UnavailableError
from k8s.api.watch import ADDED, BEGIN, DELETED, END, MODIFIED, SILENT, Backoff, WatchTarget, follow, list_all
from k8s.observe.waiting import why_waiting
from k8s.release.sweeps import read_job


def test_a_release_that_is_not_there_is_refused_with_the_names_of_those_that_are(namespace, xor_sweep):
    create(namespace, sweep_job("known", "exit 0", neurons=[1], parallelism=0))
    code, line = refused(xor_sweep("status", "unknown"))
    assert code == 2
    assert line.startswith(f"there is no release 'unknown' in the namespace {namespace}, or its Jobs have been ")
    assert "known" in line.partition(": ")[2].split(", ")
    code, line = refused(xor_sweep("status", "known", "--revision", "7"))
    words = "the release known has no Job, or no longer has one, for revision 7; revisions with a Job: 1"
    assert (code, line) == (2, words)
    code, line = refused(xor_sweep("status", "known", "--run", "known-t1"))
    words = "the release known has no Job, or no longer has one, for a run 'known-t1'; runs with a Job: known-r1"
    assert (code, line) == (2, words)


@pytest.mark.parametrize("name", ["a/b", "a,b=c", "", "x" * 64])
def test_a_name_that_no_release_can_have_is_refused_and_nothing_is_asked(xor_sweep, proxy, name):
    code, line = refused(xor_sweep("status", name, KUBECONFIG=str(proxy.kubeconfig)))
    assert (code, line) == (2, f"{name!r} is not a valid release name: use only letters, digits and '-'")
    assert proxy.connections == 0


def test_the_newest_revision_is_shown_unless_another_is_asked_for(namespace, xor_sweep):
    for revision in (9, 10):
        create(namespace, sweep_job("twice", "exit 0", neurons=[1], revision=revision, parallelism=0))
    assert xor_sweep("status", "twice").out.startswith("twice-r10: ")
    assert xor_sweep("status", "twice", "--revision", "9").out.startswith("twice-r9: ")
    assert xor_sweep("status", "twice", XOR_SWEEP_REVISION="9").out.startswith("twice-r9: ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kubeconfig", "/no/such/file"], "there is no kubeconfig /no/such/file"),
        (["--context", "nowhere"], "the kubeconfig has no context 'nowhere'; its contexts: "),
        (["--revision", "0"], "Invalid value for '--revision'"),
        (["-n", "a/b"], "'a/b' is not a valid namespace: use only lowercase letters, digits and '-'"),
    ],
)
def test_words_that_lead_nowhere_are_refused(xor_sweep, options, words):
    code, line = refused(xor_sweep("status", "demo", *options))
    assert code == 2
    assert words in line


def test_a_cluster_that_does_not_answer_is_told_in_one_line(xor_sweep, proxy):
    proxy.close(proxy.listener)
    proxy.cut()
    code, line = refused(xor_sweep("status", "demo", KUBECONFIG=str(proxy.kubeconfig)))
    assert code == 1
    assert line.startswith(f"the cluster at https://127.0.0.1:{proxy.port} does not answer: ")


ASKED_BY_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from k8s.api.connect import connect
cluster = connect(sys.argv[1])
for _ in range(25):
    with ThreadPoolExecutor(16) as threads:
        print(*threads.map(lambda _: len(list(cluster.list_pages("configmaps", limit=1))), range(32)))
    cluster._api.rest_client.close()
"""


def test_threads_may_connect_at_once(kubeconfig):
    said = subprocess.run(
        [sys.executable, "-c", ASKED_BY_THREADS, kubeconfig], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert len(said.stdout.split()) == 25 * 32


def test_who_may_not_look_is_told_what_is_missing(xor_sweep, account):
    code, line = refused(xor_sweep("status", "demo", KUBECONFIG=str(account("nobody", []))))
    assert code == 2
    assert line.startswith("the cluster does not allow this: jobs.batch is forbidden: User ")


def test_debug_shows_the_traceback(xor_sweep):
    said = xor_sweep("status", "unknown", "--debug")
    assert "Traceback" in said.err
    assert said.code == 2


@pytest.fixture
def a_map(namespace):
    """A way to make ConfigMaps of a label, and their label selector."""
    label = {"made-for": f"test-{next(COUNT)}"}

    def make(name, **data):
        about = {"name": name, "labels": label}
        create(namespace, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}])

    make.labels = f"made-for={label['made-for']}"
    return make


COUNT = itertools.count()


def test_a_list_comes_page_by_page_and_whole(cluster, a_map):
    for name in ("a", "b", "c", "d", "e"):
        a_map(f"page-{name}")
    pages = list(cluster.list_pages("configmaps", labels=a_map.labels, limit=2))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert len({page.version for page in pages}) == 1


def test_what_is_not_there_is_told_from_what_failed(cluster):
    with pytest.raises(ObjectNotFoundError):
        cluster.read("configmaps", "no-such-map")
    cluster.delete("configmaps", "no-such-map")


@pytest.fixture(scope="module")
def gadgets(namespace):
    """A kind made a moment ago: a watch of it from the cluster's first version is from before its time."""
    group = f"{namespace}.example.com"
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    kind = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }
    kubectl("create", "-f", "-", content=kind)
    kubectl("wait", "--for=condition=Established", "crd", f"gadgets.{group}", "--timeout=60s")

    def make(name):
        create(namespace, [{"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": name}}])

    make.group = group
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PATHS, "gadgets", f"/apis/{group}/v1")
        yield make
    kubectl("delete", "crd", f"gadgets.{group}", "--wait=false")


def test_a_watch_from_a_version_that_is_long_gone_has_expired(cluster, gadgets):
    gadgets("watched")
    with pytest.raises(ExpiredError):
        list(cluster.watch("gadgets", "1"))


class ForgetfulCluster(Cluster):
    """The real cluster, except that the versions of its lists are long gone, a few times."""

    forgets = 2

    def list_pages(self, *words, **options):
        for page in super().list_pages(*words, **options):
            self.forgets -= 1
            yield page if self.forgets < 0 else type(page)(page.items, "1")


def taken(changes, wanted):
    """Take changes up to the one that is wanted; each as its type and, if it has one, its object's name."""
    told = []
    for change in changes:
        told.append((change.type, change.object.get("metadata", {}).get("name")))
        if told[-1] == wanted:
            return told
    raise AssertionError(told)


def test_what_is_followed_is_listed_once_and_then_told_change_by_change(cluster, namespace, a_map):
    a_map("follow-a")
    changes = follow(cluster, WatchTarget("configmaps", a_map.labels))
    assert taken(changes, (END, None)) == [(BEGIN, None), (ADDED, "follow-a"), (END, None)]
    a_map("follow-b")
    a_map("follow-a", key="value")
    kubectl("delete", "configmap", "follow-b", "-n", namespace)
    assert taken(changes, (DELETED, "follow-b")) == [
        (ADDED, "follow-b"),
        (MODIFIED, "follow-a"),
        (DELETED, "follow-b"),
    ]


def test_what_is_followed_is_listed_anew_when_its_version_has_expired(cluster, gadgets):
    gadgets("expired")
    forgetful = ForgetfulCluster(cluster._api, cluster.namespace)
    waits = []
    changes = follow(forgetful, WatchTarget("gadgets", fields="metadata.name=expired"), sleep=waits.append)
    listed = [(BEGIN, None), (ADDED, "expired"), (END, None)]
    assert [taken(changes, (END, None)) for _ in range(3)] == [listed] * 3
    kubectl("label", f"gadgets.{gadgets.group}", "expired", "a=b", "-n", cluster.namespace)
    assert taken(changes, (MODIFIED, "expired")) == [(MODIFIED, "expired")]
    assert len(waits) == 2
    assert all(0.5 <= wait <= 2 for wait in waits)


def test_a_connection_that_breaks_loses_and_repeats_nothing(proxy, namespace, a_map):
    cluster = connect(str(proxy.kubeconfig), namespace=namespace)
    changes = follow(cluster, WatchTarget("configmaps", a_map.labels), sleep=lambda _: None)
    taken(changes, (END, None))
    told = []
    for number in range(4):
        a_map(f"broken-{number}")
        proxy.cut()
        told += taken(changes, (ADDED, f"broken-{number}"))
    assert [change for change in told if change[0] != SILENT and change[1]] == [
        (ADDED, f"broken-{n}") for n in range(4)
    ]
    assert BEGIN not in [kind for kind, _ in told]


def test_a_cluster_that_stays_away_is_given_up_in_the_end(proxy, namespace):
    cluster = connect(str(proxy.kubeconfig), namespace=namespace)
    proxy.close(proxy.listener)
    waits = []
    with pytest.raises(UnavailableError):
        list(follow(cluster, WatchTarget("configmaps"), sleep=waits.append, backoff=Backoff(patience=0.05)))
    assert len(waits) >= 1


def test_a_list_goes_on_when_the_cluster_is_back(proxy, namespace, a_map):
    a_map("listed")
    cluster = connect(str(proxy.kubeconfig), namespace=namespace)
    proxy.close(proxy.listener)
    threading.Timer(1, proxy.listen, [proxy.port]).start()
    found = [item["metadata"]["name"] for item in list_all(cluster, WatchTarget("configmaps", a_map.labels))]
    assert "listed" in found


def test_while_the_cluster_is_away_nothing_says_why_a_job_waits(proxy, namespace):
    create(namespace, sweep_job("unsaid", "exit 0", neurons=[1], suspend=True))
    cluster = connect(str(proxy.kubeconfig), namespace=namespace)
    job = read_job(cluster, "unsaid-r1")
    assert why_waiting(cluster, job).text == "the Job is suspended"
    proxy.close(proxy.listener)
    proxy.cut()
    assert why_waiting(cluster, job) is None


def test_who_may_not_read_kueues_objects_is_told_that_the_job_is_suspended(account, namespace):
    create(namespace, sweep_job("unqueued", "exit 0", neurons=[1], suspend=True))
    jobs = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]}]
    cluster = connect(str(account("unqueued", jobs)), namespace=namespace)
    assert why_waiting(cluster, read_job(cluster, "unqueued-r1")).text == "the Job is suspended"


def test_the_pauses_between_tries_grow_up_to_a_limit():
    backoff, error = Backoff(), UnavailableError("away")
    waits = [backoff.next(error) for _ in range(12)]
    for number, wait in enumerate(waits):
        assert 0.5 * min(2**number, 30) <= wait <= min(2**number, 30)
    assert backoff.reset()
    assert backoff.next(error) <= 1
    assert not backoff.reset()


def test_who_may_not_watch_is_told_at_once(account, namespace):
    cluster = connect(str(account("blind", [])), namespace=namespace)
    with pytest.raises(RefusedError):
        next(itertools.islice(follow(cluster, WatchTarget("pods")), 1, None))


def test_a_sweep_file_that_was_changed_to_nonsense_is_told(namespace, xor_sweep):
    objects = sweep_job("nonsense", "exit 0", neurons=[1], parallelism=0)
    objects[0]["data"]["sweep.yaml"] = "neurns: [1]"
    create(namespace, objects)
    code, line = refused(xor_sweep("status", "nonsense"))
    assert code == 2
    assert "did you mean 'neurons'" in line
    kubectl("delete", "configmap", "nonsense-r1", "-n", namespace)
    code, line = refused(xor_sweep("status", "nonsense"))
    assert (code, line) == (1, "the ConfigMap nonsense-r1 with the Job's sweep.yaml does not exist")


def test_a_namespace_that_is_not_there_has_no_releases(xor_sweep):
    code, line = refused(xor_sweep("status", "demo", "-n", "no-such-namespace"))
    assert code == 2
    assert line.startswith("there is no release 'demo' in the namespace no-such-namespace")
    assert line.endswith("releases with Jobs: none")
