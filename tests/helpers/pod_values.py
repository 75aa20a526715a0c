"""Values that go into a pod as they are: those that the API server takes, and those that it refuses.

tests/charts/test_pod_values.py says that the chart passes them on, tests/e2e/test_pod_values.py what the API server
says of them.
"""


def node_affinity(*, fields=(), **requirement):
    kind = "matchFields" if fields else "matchExpressions"
    term = {kind: list(fields) or [requirement]}
    return {
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        }
    }


def pod_affinity(**term):
    whole = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}} | term
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [whole]}}}


def spread(**constraint):
    whole = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"} | constraint
    return {"topologySpreadConstraints": [whole]}


def volume(**source):
    return {"extraVolumes": [{"name": "x"} | source]}


def mount(**settings):
    mounted = {"name": "x", "mountPath": "/x"} | settings
    return {"extraVolumes": [{"name": "x", "emptyDir": {}}], "extraVolumeMounts": [mounted]}


def variable(**value):
    return {"extraEnv": [{"name": "A"} | value]}


def ephemeral(**spec):
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}} | spec
    return volume(ephemeral={"volumeClaimTemplate": {"spec": whole}})


def tolerated(**toleration):
    return {"tolerations": [{"key": "a", "operator": "Exists"} | toleration]}


def resources(**quantities):
    return {"resources": {"requests": quantities, "limits": quantities}}


def gpu(**settings):
    return {"gpu": {"enabled": True} | settings}


FIELD = {"fieldRef": {"fieldPath": "metadata.name"}}
SECRET = {"secretKeyRef": {"name": "x", "key": "a"}}

TAKEN = [
    node_affinity(key="example.com/a", operator="In", values=["b", "c"]),
    node_affinity(key="a", operator="Exists"),
    node_affinity(key="a", operator="Exists", values=[]),
    node_affinity(key="a", operator="Gt", values=["1"]),
    node_affinity(fields=[{"key": "metadata.name", "operator": "In", "values": ["node.with.dots"]}]),
    {
        "affinity": {
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": {}}]}
        }
    },
    pod_affinity(namespaces=["a"], matchLabelKeys=["c"]),
    pod_affinity(namespaceSelector={}, labelSelector={"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
    spread(minDomains=2, nodeAffinityPolicy="Ignore", matchLabelKeys=["x"]),
    spread(whenUnsatisfiable="ScheduleAnyway"),
    spread(maxSkew=2**31 - 1, matchLabelKeys=["app.kubernetes.io/component"]),
    spread(matchLabelKeys=["app.kubernetes.io/name", "a"], labelSelector={"matchLabels": {"a": "b"}}),
    pod_affinity(mismatchLabelKeys=["a"]) | {"podLabels": {"a": "b"}},
    volume(),
    volume(configMap={"name": "a.b", "defaultMode": 0o777, "items": [{"key": "A.b", "path": ".a/b/..c"}]}),
    volume(secret={"secretName": "a", "optional": True}),
    volume(emptyDir={"medium": "Memory", "sizeLimit": 10}),
    volume(emptyDir={"sizeLimit": "1.5Gi"}),
    volume(persistentVolumeClaim={"claimName": "a", "readOnly": True}),
    volume(nfs={"server": "a", "path": "/b"}),
    volume(csi={"driver": "a.b", "readOnly": True, "volumeAttributes": {"a": "b"}}),
    volume(image={"reference": "a", "pullPolicy": "Never"}),
    volume(downwardAPI={"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}),
    volume(
        projected={"sources": [{"secret": {"name": "a"}}, {"serviceAccountToken": {"path": "a", "audience": "b"}}]}
    ),
    ephemeral(),
    ephemeral(resources={"requests": {"storage": 2**30}}, volumeMode="Filesystem"),
    mount(subPath="a/..b", readOnly=True, recursiveReadOnly="Enabled"),
    mount(subPathExpr="$(XOR_SWEEP_RUN)", recursiveReadOnly="Disabled", mountPropagation="HostToContainer"),
    variable(),
    variable(value=""),
    variable(value="", valueFrom=FIELD),
    variable(valueFrom=SECRET),
    variable(valueFrom={"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['a.b/c']"}}),
    variable(valueFrom={"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}),
    variable(valueFrom={"resourceFieldRef": {"resource": "limits.cpu", "divisor": 1}}),
    {"envFrom": [{"prefix": "A_", "configMapRef": {"name": "a"}}, {"secretRef": {"name": "b", "optional": True}}]},
    {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "a/b.json"}}},
    {"securityContext": {"capabilities": {"drop": None}, "appArmorProfile": {"type": "RuntimeDefault"}}},
    {"securityContext": {"privileged": True, "allowPrivilegeEscalation": True}},
    {"securityContext": {"runAsNonRoot": False, "runAsUser": 0}},
    {"podSecurityContext": {"seccompProfile": None, "supplementalGroups": [0], "fsGroupChangePolicy": "Always"}},
    {"podSecurityContext": {"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}},
    tolerated(effect="NoExecute", tolerationSeconds=0),
    tolerated(operator="Equal", value=""),
    resources(**{"nvidia.com/gpu": "3000m", "example.com/x": "1Ki", "hugepages-2Mi": "4Mi"}),
    {"resources": {"requests": {"example.com/x": "1"}, "limits": {"example.com/x": 1, "hugepages-1Gi": 2**31}}},
    gpu(resourceName=f"{'.'.join(['a' * 48] * 5)}/{'A' * 63}", count=9 * 10**15),
    {"securityContext": {"allowPrivilegeEscalation": True, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}},
    {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_NET_RAW"]}}},
    {"podLabels": {"batch.kubernetes.io/job-completion-index": "0"}},
]
"""The API server takes these."""

REFUSED = [
    (node_affinity(key="a", operator="in", values=["b"]), 'operator: Invalid value: "in": not a valid selector'),
    ({"affinity": {"nodeAffinity": 3}}, "cannot unmarshal number into Go struct field Affinity.spec"),
    (tolerated(key="a b"), 'tolerations[0].key: Invalid value: "a b": name part must consist of alphanumeric'),
    (spread(maxSkew=0), "topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"),
    (volume(configmap={"name": "a"}), 'unknown field "spec.template.spec.volumes[3].configmap"'),
    (volume(secret={"secretName": "a"}, emptyDir={}), "secret: Forbidden: may not specify more than 1 volume type"),
    (mount(subPath="a", subPathExpr="b"), "subPathExpr and subPath are mutually exclusive"),
    (variable(value=1), "cannot unmarshal number into Go struct field EnvVar.spec"),
    (variable(value="a", valueFrom=FIELD), "env[5].valueFrom: Invalid value"),
    ({"envFrom": [{}]}, "must specify one of: `configMapRef` or `secretRef`"),
    ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, "localhostProfile: Required value"),
    ({"podSecurityContext": {"supplementalGroups": [-1]}}, "supplementalGroups[0]: Invalid value: -1"),
    ({"podLabels": {"job-name": "a"}}, "spec.template.metadata.labels[job-name]: Invalid value"),
    ({"nodeSelector": {"a": "b c"}}, 'nodeSelector: Invalid value: "b c"'),
    (
        {"resources": {"requests": {"cpu": 2}}},
        'requests: Invalid value: "2": must be less than or equal to',
    ),
    (gpu(resourceName="a..b/gpu"), 'resources.limits[a..b/gpu]: Invalid value: "a..b/gpu"'),
]
"""The API server refuses these, in these words."""
