"""The pod that reads a release's volume."""

from k8s.release.helper_pod import helper_pod
from k8s.release.outputs import ReleaseOutput

MOUNTS = [{"name": "sweep", "mountPath": "/etc/sweep"}, {"name": "output", "mountPath": "/output"}]


def test_it_is_made_as_the_programs_own_container_is_and_not_as_a_sidecar_before_it():
    containers = [
        {"name": "proxy", "image": "proxy:1", "volumeMounts": []},
        {"name": "driver", "image": "xor-sweep:1", "volumeMounts": MOUNTS},
    ]
    spec = {"template": {"spec": {"containers": containers, "volumes": [{"name": "output"}]}}}
    owner = {"metadata": {"name": "demo-r1-driver", "uid": "1"}, "spec": spec}
    [container] = helper_pod(ReleaseOutput("demo", "/output", owner))["spec"]["containers"]
    assert container["image"] == "xor-sweep:1"
    assert container["volumeMounts"] == [{"name": "output", "mountPath": "/output"}]
