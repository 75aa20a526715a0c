"""The volume claim in a real cluster: what is done to it by hand, and where later revisions go, costs no run."""

import json

import pytest

from .conftest import helm

CLAIM = "demo-xor-sweep"


def put(namespace, kind, api_version="v1", **more):
    """Make an object that belongs to no namespace, with the namespace's name."""
    item = {"apiVersion": api_version, "kind": kind, "metadata": {"name": namespace.name}} | more
    namespace.kubectl("create", "--filename", "-", stdin=json.dumps(item))


@pytest.fixture
def growing(namespace):
    """A storage class, of the namespace's name, whose claims may grow; it has one volume."""
    provisioner = "kubernetes.io/no-provisioner"
    put(namespace, "StorageClass", "storage.k8s.io/v1", provisioner=provisioner, allowVolumeExpansion=True)
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": namespace.name}
    put(namespace, "PersistentVolume", spec=spec | {"hostPath": {"path": "/nothing-is-mounted"}})
    yield namespace.name
    namespace.kubectl(
        "delete", f"persistentvolume/{namespace.name}", f"storageclass/{namespace.name}", "--wait=false"
    )


@pytest.fixture
def idle(release):
    """Calls helm for the release, with a Job that waits for ever: no pod is started."""
    still = {"kueue": {"queueName": "nobody"}, "driver": {"enabled": False}}
    return lambda *words, **values: release(*words, **still, **values)


def size_and_keep(namespace, name=CLAIM):
    claim = namespace.get("persistentvolumeclaim", name)
    keep = claim["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
    return claim["spec"]["resources"]["requests"]["storage"], keep


def claims(namespace):
    found = namespace.get("persistentvolumeclaims")["items"]
    return {claim["metadata"]["name"] for claim in found if "deletionTimestamp" not in claim["metadata"]}


@pytest.mark.parametrize("name", ["helm", "helm3"])
def test_a_claim_grows_by_hand_and_by_its_value_and_never_shrinks(namespace, growing, idle, name):
    program = helm(name)
    claim = {"storageClassName": growing}
    idle(program, "install", claim=claim)
    phase = "--for=jsonpath={.status.phase}=Bound"
    namespace.kubectl("wait", f"persistentvolumeclaim/{CLAIM}", phase, "--timeout=60s")

    idle(program, "upgrade", claim=claim | {"size": "1500Mi", "accessModes": ["ReadWriteMany"]})
    assert size_and_keep(namespace) == ("1500Mi", None)

    more = {"requests": {"storage": "2Gi"}}
    for part, options in (
        ({"spec": {"resources": more}}, []),
        ({"status": {"capacity": more["requests"]}}, ["--subresource=status"]),
    ):
        namespace.kubectl("patch", "persistentvolumeclaim", CLAIM, *options, "--patch", json.dumps(part))
    idle(program, "upgrade", claim=claim)
    idle(program, "upgrade", claim={"storageClassName": "another", "size": "3Gi"})
    assert size_and_keep(namespace) == ("2Gi", None)
    idle(program, "uninstall")
    assert not claims(namespace)


@pytest.mark.parametrize("name", ["helm", "helm3"])
def test_a_claim_stays_until_uninstall_whatever_the_objects_are_called_and_a_kept_one_stays_then_too(
    namespace, idle, name
):
    program = helm(name)
    idle(program, "install")
    idle(program, "upgrade", claim={"size": "5Gi", "storageClassName": "another"})
    idle(program, "rollback", "1")
    idle(program, "upgrade", fullnameOverride="other")
    idle(program, "upgrade", fullnameOverride="third", sweep={"output": "gs://bucket/prefix"})
    assert claims(namespace) == {CLAIM, "other"}
    assert size_and_keep(namespace) == ("1Gi", None)
    idle(program, "uninstall")
    namespace.until(lambda: not claims(namespace))

    idle(program, "install", claim={"keep": True})
    idle(program, "uninstall")
    idle(program, "install", fullnameOverride="other")
    assert size_and_keep(namespace) == ("1Gi", "keep")
    idle(program, "uninstall")
    assert claims(namespace) == {CLAIM}
