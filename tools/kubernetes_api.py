"""What Kubernetes takes in those values of the chart that go into a pod as they are, as JSON Schema.

Keys and types are those of the official client's models, which are made from the API's own description. That
has no closed sets of words and no ranges: these are here, from
https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/ and what the API server refuses.
"""

from typing import Any

from kubernetes.client import models
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]

LISTS = {
    "tolerations": models.V1Toleration,
    "gpu.tolerations": models.V1Toleration,
    "topologySpreadConstraints": models.V1TopologySpreadConstraint,
    "extraEnv": models.V1EnvVar,
    "envFrom": models.V1EnvFromSource,
    "extraVolumes": models.V1Volume,
    "extraVolumeMounts": models.V1VolumeMount,
}
"""Values that are lists of such objects."""

OBJECTS = {
    "affinity": models.V1Affinity,
    "podSecurityContext": models.V1PodSecurityContext,
    "securityContext": models.V1SecurityContext,
}
"""Values that are such an object."""

NULLABLE = {models.V1Affinity, models.V1PodSecurityContext, models.V1SecurityContext}
NULLABLE |= {models.V1SeccompProfile, models.V1Capabilities}
"""Objects whose keys may be null: that takes away what values.yaml gives them."""

_NAME = {"pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"}
_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = {"pattern": rf"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_LABEL}$"}
_LABEL_VALUE = {"type": "string", "pattern": f"^({_LABEL})?$"}
_CONFIG_KEY = {"pattern": "^[-._a-zA-Z0-9]+$"}
_FOLDER = r"(\.|\.?[^./][^/]*|\.\.[^/]+)"  # A part of a path, other than '..'.
_RELATIVE = {"pattern": f"^{_FOLDER}(/{_FOLDER}?)*$"}
_FILE = {"pattern": rf"^(\.|\.?[^./][^/]*)(/{_FOLDER}?)*$"}  # Names that begin with '..' are the kubelet's.
_PATH = {"pattern": f"^/?({_FOLDER}(/{_FOLDER}?)*)?$"}
_QUANTITY = {
    "type": ["string", "number"],
    "minimum": 0,
    "pattern": r"^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$",
}
_DIVISORS = [1, "1", "1m", *(f"1{unit}" for unit in "kMGTPE"), *(f"1{unit}i" for unit in "KMGTPE")]
_PATH_TYPES = ["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"]
_ID = {"minimum": 0, "maximum": 2**31 - 1}
_COUNT = {"minimum": 1, "maximum": 2**31 - 1}
_MODE = {"minimum": 0, "maximum": 0o777}
_WEIGHT = {"minimum": 1, "maximum": 100}
_REQUIREMENT = {"$ref": "#/$defs/NodeSelectorRequirement"}
_OF_LABELS = {"properties": {"values": {"items": _LABEL_VALUE}}}
_OF_NAMES = {"properties": {"key": {"enum": ["metadata.name"]}}}
_HONOR = {"enum": ["Honor", "Ignore"]}
_PROFILES = {"enum": ["RuntimeDefault", "Localhost", "Unconfined"]}

RULES: dict[str, Schema] = {
    "V1Toleration.key": _KEY,
    "V1Toleration.operator": {"enum": ["Exists", "Equal", "Lt", "Gt"]},
    "V1Toleration.value": _LABEL_VALUE,
    "V1Toleration.effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
    "V1NodeSelector.nodeSelectorTerms": {"minItems": 1},
    "V1NodeSelectorTerm.matchExpressions": {
        "items": {"allOf": [_REQUIREMENT, {"properties": {"values": {"items": _LABEL_VALUE}}}]}
    },
    "V1NodeSelectorTerm.matchFields": {
        "items": {"allOf": [_REQUIREMENT, {"properties": {"key": {"enum": ["metadata.name"]}}}]}
    },
    "V1NodeSelectorRequirement.key": _KEY,
    "V1NodeSelectorRequirement.operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]},
    "V1PreferredSchedulingTerm.weight": _WEIGHT,
    "V1WeightedPodAffinityTerm.weight": _WEIGHT,
    "V1PodAffinityTerm.topologyKey": _KEY,
    "V1PodAffinityTerm.namespaces": {"items": {"type": "string"} | _NAME},
    "V1PodAffinityTerm.matchLabelKeys": {"items": {"type": "string"} | _KEY},
    "V1PodAffinityTerm.mismatchLabelKeys": {"items": {"type": "string"} | _KEY},
    "V1LabelSelector.matchLabels": {"propertyNames": _KEY, "additionalProperties": _LABEL_VALUE},
    "V1LabelSelectorRequirement.key": _KEY,
    "V1LabelSelectorRequirement.operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
    "V1LabelSelectorRequirement.values": {"items": _LABEL_VALUE},
    "V1TopologySpreadConstraint.topologyKey": _KEY,
    "V1TopologySpreadConstraint.matchLabelKeys": {"items": {"type": "string"} | _KEY},
    "V1TopologySpreadConstraint.maxSkew": _COUNT,
    "V1TopologySpreadConstraint.minDomains": _COUNT,
    "V1TopologySpreadConstraint.whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
    "V1TopologySpreadConstraint.nodeAffinityPolicy": _HONOR,
    "V1TopologySpreadConstraint.nodeTaintsPolicy": _HONOR,
    "V1PodSecurityContext.runAsUser": _ID,
    "V1PodSecurityContext.runAsGroup": _ID,
    "V1PodSecurityContext.fsGroup": _ID,
    "V1PodSecurityContext.fsGroupChangePolicy": {"enum": ["OnRootMismatch", "Always"]},
    "V1PodSecurityContext.supplementalGroups": {"items": {"type": "integer"} | _ID},
    "V1PodSecurityContext.supplementalGroupsPolicy": {"enum": ["Merge", "Strict"]},
    "V1PodSecurityContext.seLinuxChangePolicy": {"enum": ["MountOption", "Recursive"]},
    "V1Sysctl.name": {"pattern": "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"},
    "V1SecurityContext.runAsUser": _ID,
    "V1SecurityContext.runAsGroup": _ID,
    "V1SecurityContext.procMount": {"enum": ["Default", "Unmasked"]},
    "V1SeccompProfile.type": _PROFILES,
    "V1SeccompProfile.localhostProfile": _RELATIVE,
    "V1AppArmorProfile.type": _PROFILES,
    "V1EnvFromSource.prefix": {"pattern": "^[ -<>-~]*$"},
    "V1ConfigMapEnvSource.name": _NAME,
    "V1SecretEnvSource.name": _NAME,
    "V1ConfigMapKeySelector.name": _NAME,
    "V1ConfigMapKeySelector.key": _CONFIG_KEY,
    "V1SecretKeySelector.name": _NAME,
    "V1SecretKeySelector.key": _CONFIG_KEY,
    "V1ObjectFieldSelector.apiVersion": {"enum": ["v1"]},
    "V1ObjectFieldSelector.fieldPath": {
        "pattern": r"^(metadata\.(name|namespace|uid|(annotations|labels)(\['.+'\])?)"
        r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?))$"
    },
    "V1ResourceFieldSelector.resource": {
        "pattern": "^(limits|requests)[.](cpu|memory|ephemeral-storage|hugepages-.+)$"
    },
    "V1ResourceFieldSelector.divisor": {"type": ["string", "number"], "enum": _DIVISORS},
    "V1VolumeMount.subPath": _RELATIVE,
    "V1VolumeMount.mountPropagation": {"enum": ["None", "HostToContainer", "Bidirectional"]},
    "V1VolumeMount.recursiveReadOnly": {"enum": ["Disabled", "IfPossible", "Enabled"]},
    "V1ConfigMapVolumeSource.name": _NAME,
    "V1ConfigMapVolumeSource.defaultMode": _MODE,
    "V1ConfigMapProjection.name": _NAME,
    "V1SecretVolumeSource.secretName": _NAME,
    "V1SecretVolumeSource.defaultMode": _MODE,
    "V1SecretProjection.name": _NAME,
    "V1DownwardAPIVolumeSource.defaultMode": _MODE,
    "V1ProjectedVolumeSource.defaultMode": _MODE,
    "V1KeyToPath.key": _CONFIG_KEY,
    "V1KeyToPath.path": _FILE,
    "V1KeyToPath.mode": _MODE,
    "V1DownwardAPIVolumeFile.path": _FILE,
    "V1DownwardAPIVolumeFile.mode": _MODE,
    "V1ServiceAccountTokenProjection.path": _FILE,
    "V1ServiceAccountTokenProjection.expirationSeconds": {"minimum": 600, "maximum": 2**32},
    "V1EmptyDirVolumeSource.sizeLimit": _QUANTITY,
    "V1PersistentVolumeClaimVolumeSource.claimName": _NAME,
    "V1PersistentVolumeClaimSpec.accessModes": {
        "minItems": 1,
        "items": {"enum": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]},
    },
    "V1PersistentVolumeClaimSpec.volumeMode": {"enum": ["Filesystem", "Block"]},
    "V1VolumeResourceRequirements.limits": {"additionalProperties": _QUANTITY},
    "V1VolumeResourceRequirements.requests": {"additionalProperties": _QUANTITY, "required": ["storage"]},
    "V1CSIVolumeSource.driver": _NAME,
    "V1NFSVolumeSource.path": {"pattern": "^/"},
    "V1HostPathVolumeSource.path": _PATH,
    "V1HostPathVolumeSource.type": {
        "enum": [
            "",
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        ]
    },
    "V1ImageVolumeSource.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
}
"""What the API takes in a field, beyond its type."""

ALSO_REQUIRED = {
    "V1ConfigMapKeySelector": ["name"],
    "V1SecretKeySelector": ["name"],
    "V1ConfigMapEnvSource": ["name"],
    "V1SecretEnvSource": ["name"],
    "V1ConfigMapVolumeSource": ["name"],
    "V1ConfigMapProjection": ["name"],
    "V1SecretVolumeSource": ["secretName"],
    "V1SecretProjection": ["name"],
    "V1ImageVolumeSource": ["reference"],
    "V1EphemeralVolumeSource": ["volumeClaimTemplate"],
    "V1PersistentVolumeClaimSpec": ["accessModes", "resources"],
    "V1VolumeResourceRequirements": ["requests"],
}
"""Fields that the API's description has as optional, and the API server asks for."""

_EMPTY = {"maxLength": 0}
_VALUES_FIT: Schema = {
    "if": {"properties": {"operator": {"enum": ["Exists", "DoesNotExist"]}}},
    "then": {"properties": {"values": {"maxItems": 0}}},
    "else": {"required": ["values"], "properties": {"values": {"minItems": 1}}},
}
_NUMBER_FITS: Schema = {
    "if": {"properties": {"operator": {"enum": ["Gt", "Lt"]}}},
    "then": {"properties": {"values": {"maxItems": 1, "items": {"pattern": "^[0-9]+$"}}}},
}
_PROFILE_FITS: Schema = {
    "if": {"properties": {"type": {"const": "Localhost"}}},
    "then": {"required": ["localhostProfile"]},
    "else": {"properties": {"localhostProfile": _EMPTY}},
}
_SPREAD_FITS: Schema = {
    "if": {"required": ["minDomains"]},
    "then": {"properties": {"whenUnsatisfiable": {"enum": ["DoNotSchedule"]}}},
}
_KEYS_FIT: Schema = {
    "dependentRequired": {"matchLabelKeys": ["labelSelector"], "mismatchLabelKeys": ["labelSelector"]}
}
_SUB_PATH_FITS: Schema = {"if": {"required": ["subPathExpr"]}, "then": {"properties": {"subPath": _EMPTY}}}
_READ_ONLY_FITS: Schema = {
    "if": {
        "required": ["recursiveReadOnly"],
        "properties": {"recursiveReadOnly": {"enum": ["IfPossible", "Enabled"]}},
    },
    "then": {
        "required": ["readOnly"],
        "properties": {"readOnly": {"const": True}, "mountPropagation": {"enum": ["None"]}},
    },
}

WHOLE: dict[str, Schema] = {
    "V1NodeSelectorRequirement": {"allOf": [_VALUES_FIT, _NUMBER_FITS]},
    "V1LabelSelectorRequirement": _VALUES_FIT,
    "V1TopologySpreadConstraint": _SPREAD_FITS,
    "V1PodAffinityTerm": _KEYS_FIT,
    "V1EnvVarSource": {"minProperties": 1, "maxProperties": 1},
    "V1VolumeProjection": {"maxProperties": 1},
    "V1DownwardAPIVolumeFile": {"if": {"required": ["resourceFieldRef"]}, "else": {"required": ["fieldRef"]}},
    "V1VolumeMount": {"allOf": [_SUB_PATH_FITS, _READ_ONLY_FITS]},
    "V1SeccompProfile": _PROFILE_FITS,
    "V1AppArmorProfile": _PROFILE_FITS,
}
"""What the API takes of an object as a whole."""


def parts() -> dict[str, Schema]:
    """Return the schema of each of these values, by its path; each refers to `definitions`."""
    lists = {path: {"type": "array", "items": {"$ref": f"#/$defs/{_name(model)}"}} for path, model in LISTS.items()}
    return lists | {path: {"$ref": f"#/$defs/{_name(model)}"} for path, model in OBJECTS.items()}


def definitions() -> dict[str, Schema]:
    """Return the schemas of the objects that `parts` refers to, and of those in them."""
    used = {*LISTS.values(), *OBJECTS.values()}
    made = models_json_schema([(model, "validation") for model in used], by_alias=True)[1]["$defs"]
    return {name.removeprefix("V1"): _object(name, made[name]) for name in sorted(made)}


def _name(model: type[BaseModel]) -> str:
    return model.__name__.removeprefix("V1")


def _object(name: str, made: Schema) -> Schema:
    """Return an object's schema, without titles and descriptions, and with what the API server asks besides."""
    required = sorted({*made.get("required", []), *ALSO_REQUIRED.get(name, [])})
    properties = {key: _field(field) | RULES.get(f"{name}.{key}", {}) for key, field in made["properties"].items()}
    for key in required:
        if properties[key].get("type") == "string" and "enum" not in properties[key]:
            properties[key]["minLength"] = 1
    if name in {model.__name__ for model in NULLABLE}:
        properties = {key: {"if": {"type": "null"}, "else": field} for key, field in properties.items()}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | ({"required": required} if required else {}) | WHOLE.get(name, {})


def _field(field: Schema) -> Schema:
    """Return a field's schema; one that may be left out is not null when it is there."""
    kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    if len(kinds) > 1:  # A number or a string: a port, a quantity.
        return {"type": [kind["type"] for kind in kinds]}
    kind = kinds[0]
    if "$ref" in kind:
        return {"$ref": kind["$ref"].replace("/V1", "/")}
    kept = {key: _field(kind[key]) for key in ("items", "additionalProperties") if isinstance(kind.get(key), dict)}
    return {"type": kind["type"]} | kept
