"""Values that go into a pod as they are: those that Kubernetes takes, and those that it does not.

tests/charts/test_pod_values.py holds the chart to them, and tests/e2e/test_pod_values.py the API server.
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
NO_OTHER = {"cpu": None, "memory": None}
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
    (node_affinity(key="a", operator="in", values=["b"]), "operator': value must be one of 'In', 'NotIn'"),
    (node_affinity(key="a", operator="In", values=[]), "matchExpressions/0/values': minItems: got 0, want 1"),
    (node_affinity(key="a", operator="In"), "matchExpressions/0': missing property 'values'"),
    (node_affinity(key="a", operator="Exists", values=["b"]), "values': maxItems: got 1, want 0"),
    (node_affinity(key="a", operator="Gt", values=["1", "2"]), "values': maxItems: got 2, want 1"),
    (node_affinity(key="a b", operator="Exists"), "key': 'a b' does not match pattern"),
    (node_affinity(key="a", operator="In", values=["b c"]), "values/0': 'b c' does not match pattern"),
    (
        node_affinity(fields=[{"key": "a", "operator": "In", "values": ["b"]}]),
        "key': value must be 'metadata.name'",
    ),
    ({"affinity": {"nodeAffinity": 3}}, "at '/affinity/nodeAffinity': got number, want object"),
    (pod_affinity(topologyKey=""), "topologyKey': minLength: got 0, want 1"),
    (pod_affinity(namespaces=["A b"]), "namespaces/0': 'A b' does not match pattern"),
    (pod_affinity(matchLabelKeys=["a b"]), "matchLabelKeys/0': 'a b' does not match pattern"),
    (pod_affinity(labelSelector={"matchLabels": {"a b": "c"}}), "invalid propertyName 'a b'"),
    (pod_affinity(labelSelector={"matchLabels": {"a": "b c"}}), "matchLabels/a': 'b c' does not match pattern"),
    (spread(maxSkew=0), "at '/topologySpreadConstraints/0/maxSkew': minimum: got 0, want 1"),
    (spread(minDomains=2, whenUnsatisfiable="ScheduleAnyway"), "whenUnsatisfiable': value must be 'DoNotSchedule'"),
    (
        {"topologySpreadConstraints": spread()["topologySpreadConstraints"] * 2},
        "topologySpreadConstraints: two of them have zone and DoNotSchedule: give one",
    ),
    (volume(configmap={"name": "a"}), "at '/extraVolumes/0': additional properties 'configmap' not allowed"),
    (
        volume(secret={"secretName": "a"}, emptyDir={}),
        "extraVolumes: x is of several kinds (emptyDir, secret): give it one of them",
    ),
    (volume(secret={}), "at '/extraVolumes/0/secret': missing property 'secretName'"),
    (volume(configMap={"name": "a", "defaultMode": 512}), "defaultMode': maximum: got 512, want 511"),
    (volume(configMap={"name": "a", "items": [{"key": "a", "path": "/b"}]}), "path': '/b' does not match pattern"),
    (volume(configMap={"name": "a", "items": [{"key": "a", "path": "b/../c"}]}), "'b/../c' does not match pattern"),
    (volume(configMap={"name": "a", "items": [{"key": "a", "path": "..b"}]}), "'..b' does not match pattern"),
    (volume(emptyDir={"sizeLimit": "1 Gi"}), "sizeLimit': '1 Gi' does not match pattern"),
    (volume(emptyDir={"sizeLimit": -1}), "sizeLimit': minimum: got -1, want 0"),
    (volume(hostPath={"path": "/a/../b"}), "path': '/a/../b' does not match pattern"),
    (volume(hostPath={"path": "/a", "type": "Folder"}), "type': value must be one of"),
    (volume(nfs={"server": "a", "path": "b"}), "path': 'b' does not match pattern"),
    (volume(csi={"driver": "a b"}), "driver': 'a b' does not match pattern"),
    (volume(downwardAPI={"items": [{"path": "a"}]}), "items/0': missing property 'fieldRef'"),
    (
        volume(projected={"sources": [{"secret": {"name": "a"}, "configMap": {"name": "b"}}]}),
        "at '/extraVolumes/0/projected/sources/0': maxProperties: got 2, want 1",
    ),
    (
        volume(projected={"sources": [{"serviceAccountToken": {"path": "a", "expirationSeconds": 5}}]}),
        "expirationSeconds': minimum: got 5, want 600",
    ),
    (volume(ephemeral={}), "at '/extraVolumes/0/ephemeral': missing property 'volumeClaimTemplate'"),
    (ephemeral(accessModes=["RWO"]), "accessModes/0': value must be one of 'ReadWriteOnce'"),
    (ephemeral(resources={"requests": {}}), "requests': missing property 'storage'"),
    (mount(subPath="/a"), "at '/extraVolumeMounts/0/subPath': '/a' does not match pattern"),
    (mount(subPath="a", subPathExpr="b"), "subPath': maxLength: got 1, want 0"),
    (mount(recursiveReadOnly="Enabled"), "at '/extraVolumeMounts/0': missing property 'readOnly'"),
    (mount(mountPropagation="Both"), "mountPropagation': value must be one of 'None'"),
    (variable(value=1), "at '/extraEnv/0/value': got number, want string"),
    (variable(value="a", valueFrom=FIELD), "extraEnv: A has value and valueFrom: give one of them"),
    (variable(valueFrom={}), "at '/extraEnv/0/valueFrom': minProperties: got 0, want 1"),
    (variable(valueFrom=FIELD | SECRET), "at '/extraEnv/0/valueFrom': maxProperties: got 2, want 1"),
    (variable(valueFrom={"fieldRef": {"fieldPath": "metadata.x"}}), "'metadata.x' does not match pattern"),
    (variable(valueFrom={"secretKeyRef": {"key": "a"}}), "secretKeyRef': missing property 'name'"),
    (variable(valueFrom={"secretKeyRef": {"name": "x", "key": "a b"}}), "key': 'a b' does not match pattern"),
    (variable(valueFrom={"secretKeyRef": {"name": "A b", "key": "a"}}), "name': 'A b' does not match pattern"),
    (variable(valueFrom={"resourceFieldRef": {"resource": "x"}}), "resource': 'x' does not match pattern"),
    (
        variable(valueFrom={"resourceFieldRef": {"resource": "limits.cpu", "divisor": "3"}}),
        "divisor': value must be one of 1, '1', '1m'",
    ),
    ({"envFrom": [{}]}, "envFrom: {}: give each configMapRef or secretRef, and not both"),
    (
        {"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]},
        "give each configMapRef or secretRef, and not both",
    ),
    ({"envFrom": [{"configMapRef": {}}]}, "at '/envFrom/0/configMapRef': missing property 'name'"),
    ({"envFrom": [{"prefix": "a=b", "configMapRef": {"name": "a"}}]}, "prefix': 'a=b' does not match pattern"),
    (
        {"securityContext": {"privileged": True}},
        "securityContext: a container that is privileged may escalate its privileges: set allowPrivilegeEscalation",
    ),
    ({"securityContext": {"seccompProfile": {"type": "Localhost"}}}, "missing property 'localhostProfile'"),
    (
        {"securityContext": {"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": "a"}}},
        "localhostProfile': maxLength: got 1, want 0",
    ),
    ({"securityContext": {"appArmorProfile": {"type": "default"}}}, "type': value must be one of 'RuntimeDefault'"),
    ({"securityContext": {"runAsUser": 2**31}}, "at '/securityContext/runAsUser': maximum: got 2"),
    ({"podSecurityContext": {"supplementalGroups": [-1]}}, "supplementalGroups/0': minimum: got -1, want 0"),
    ({"podSecurityContext": {"sysctls": [{"name": "A b", "value": "1"}]}}, "'A b' does not match pattern"),
    (tolerated(key="a b"), "at '/tolerations/0/key': 'a b' does not match pattern"),
    (tolerated(operator="Equal", value="a b"), "at '/tolerations/0/value': 'a b' does not match pattern"),
    (spread(maxSkew=2**31), "at '/topologySpreadConstraints/0/maxSkew': maximum: got 2"),
    (spread(minDomains=2**40), "at '/topologySpreadConstraints/0/minDomains': maximum: got 1"),
    (
        pod_affinity(matchLabelKeys=["c"], mismatchLabelKeys=["c"]),
        "c is in matchLabelKeys and in mismatchLabelKeys",
    ),
    (
        {
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "a", "matchLabelKeys": ["c"]}
                    ]
                }
            }
        },
        "properties 'labelSelector' required, if 'matchLabelKeys' exists",
    ),
    (
        {"podSecurityContext": {"sysctls": [{"name": "net.a", "value": value} for value in "01"]}},
        "podSecurityContext.sysctls: net.a is there twice: give it once",
    ),
    (
        {"securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}},
        "securityContext: a container with CAP_SYS_ADMIN may escalate its privileges: set allowPrivilegeEscalation",
    ),
    *(
        ({"podLabels": {key: "a"}}, f"podLabels: {key} is the label by which a Job knows its pods: give yours")
        for name in ("job-name", "controller-uid")
        for key in (name, f"batch.kubernetes.io/{name}")
    ),
    (resources(**{"a.b/c": 1.5}), "c: '1.5' is not possible: give a whole number, up to 9000000000000000"),
    (resources(**{"a.b/c": "1500m"}), "a.b/c: '1500m' is not possible: give a whole number"),
    ({"resources": {"limits": {"a.b/c": 10**18}}}, "resources.limits.a.b/c: '1e+18' is not possible"),
    *(
        (resources(**{name: 1}), f"a container cannot ask for '{name}': give cpu, memory, ephemeral-storage, or a")
        for name in ("requests.a.b/c", "a..b/c", f"a.b/{'c' * 64}", "a.b/-c", f"{'.'.join(['a' * 60] * 4)}aa/c")
    ),
    (resources(**{"hugepages-2Mi": "3Mi"}), "hugepages-2Mi: '3Mi' is no whole number of such pages"),
    (resources(**{"hugepages-0Mi": "1Mi"}), "a container cannot ask for 'hugepages-0Mi'"),
    (
        {"resources": {"requests": {"hugepages-2Mi": "2Mi"}, "limits": {"hugepages-2Mi": "4Mi"}}},
        "resources.requests.hugepages-2Mi: of such a resource the limit must be given, too, and be the same",
    ),
    (
        {"resources": {"requests": {"cpu": None, "memory": None}, "limits": {"hugepages-2Mi": "2Mi"} | NO_OTHER}},
        "resources: huge pages go with cpu or memory only: give one of them, too",
    ),
    *(
        (gpu(resourceName=name), f"gpu.resourceName '{name}' is no resource: give its name, such as nvidia.com/gpu")
        for name in ("a..b/gpu", "requests.x/gpu", f"a.b/{'x' * 64}")
    ),
    (gpu(count=10**18), "at '/gpu/count': maximum: got 1"),
]
"""The API server refuses these, and what Helm says of them before it is asked."""

NEVER_RUN = [
    (
        {"podSecurityContext": {"runAsUser": 0}},
        "runAsUser is 0, which is root, and runAsNonRoot is true: no container would start; give another user",
    ),
    (
        {"securityContext": {"runAsUser": 0}},
        "runAsUser is 0, which is root, and runAsNonRoot is true",
    ),
    (volume(secret={"secretName": "A b"}), "secretName': 'A b' does not match pattern"),
    (volume(persistentVolumeClaim={"claimName": "A b"}), "claimName': 'A b' does not match pattern"),
    (volume(image={}), "image': missing property 'reference'"),
    (node_affinity(key="a", operator="Gt", values=["b"]), "values/0': 'b' does not match pattern"),
    (
        spread(matchLabelKeys=["app.kubernetes.io/name"]),
        "topologySpreadConstraints: app.kubernetes.io/name is in matchLabelKeys and in the labelSelector: give",
    ),
    (
        spread(matchLabelKeys=["a"], labelSelector={"matchLabels": {"a": "b"}}) | {"podLabels": {"a": "b"}},
        "topologySpreadConstraints: a is in matchLabelKeys and in the labelSelector",
    ),
    (
        pod_affinity(matchLabelKeys=["a"]) | {"podLabels": {"a": "b"}},
        "affinity.podAntiAffinity: a is in matchLabelKeys and in the labelSelector",
    ),
]
"""The API server takes these, but no pod would ever run."""
