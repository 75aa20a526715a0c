"""values.yaml and values.schema.json: what may be set, and what is refused, before anything is created."""

import json
import subprocess
import tomllib

import pytest
from ruamel.yaml import YAML

from job.errors import ConfigError
from job.settings.sweep import Settings
from job.settings.validation import make_settings
from job.storage import open_storage
from tools import chart as made

from .conftest import CHART, NOWHERE, Chart

VALUES = YAML(typ="safe").load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def test_helm_finds_nothing_to_complain_about(each_helm):
    done = subprocess.run(
        [each_helm, "lint", "--strict", CHART], capture_output=True, text=True, check=False, env=NOWHERE
    )
    assert not done.returncode, done.stdout


def test_each_helm_renders_the_same_objects(each_helm, chart):
    assert Chart(each_helm).objects(gpu={"enabled": True}) == chart.objects(gpu={"enabled": True})


def test_the_chart_has_the_programs_version():
    project = tomllib.loads((CHART.parents[1] / "pyproject.toml").read_text())["project"]
    about = YAML(typ="safe").load((CHART / "Chart.yaml").read_text())
    assert about["appVersion"] == about["version"] == project["version"]
    assert about["kubeVersion"] == ">=1.33.0-0"


def test_an_older_kubernetes_is_refused(chart):
    done = chart.run("template", "--kube-version", "1.32.9")
    assert done.returncode
    assert "incompatible with Kubernetes v1.32.9" in done.stderr
    assert not chart.run("template", "--kube-version", "v1.33.5-gke.1080000").returncode


def test_the_schema_is_the_one_that_is_made_from_the_program():
    assert made.schema() == (CHART / "values.schema.json").read_text(), "make docs writes it again"


def test_the_readme_is_the_one_that_is_made_from_the_values():
    assert made.readme() == (CHART / "README.md").read_text(), "make docs writes it again"


def test_a_value_without_a_comment_is_refused():
    with pytest.raises(ValueError, match="b has no comment"):
        list(made.values("# about a\na: 1\nb: 2\n"))


def test_the_sweeps_keys_and_defaults_are_the_programs():
    ours = {"device", "output"}
    fields = {name: field for name, field in Settings.model_fields.items() if name not in made.NOT_IN_THE_CHART}
    assert set(VALUES["sweep"]) == set(fields)
    described = {value.path: value.description for value in made.values()}
    for name in fields.keys() - ours:
        default = fields[name].default
        assert VALUES["sweep"][name] == (list(default) if isinstance(default, tuple) else default)
        assert described[f"sweep.{name}"] == fields[name].description


def holes(schema, path=""):
    """Where a mistyped key would go unseen, or where the values have a key that the schema has not."""
    if "properties" in schema and schema.get("additionalProperties") is not False:
        yield path
    for name, part in (schema.get("properties", {}) | schema.get("$defs", {})).items():
        yield from holes(part, f"{path}.{name}")
    for part in (schema.get("items"), schema.get("else")):
        yield from holes(part, path) if isinstance(part, dict) and "allOf" not in part and "type" in part else ()


def test_the_schema_lets_no_mistyped_key_through():
    assert list(holes(SCHEMA)) == []
    assert set(VALUES) | {"enabled", "global"} == set(SCHEMA["properties"])


MISTYPED = [
    ({"sweep": {"neuron": [2]}}, "at '/sweep': additional properties 'neuron' not allowed"),
    ({"sweep": {"run": "mine"}}, "additional properties 'run' not allowed"),
    ({"paralellism": 3}, "additional properties 'paralellism' not allowed"),
    ({"gpu": {"resource": "x"}}, "at '/gpu': additional properties 'resource' not allowed"),
    ({"resources": {"limit": {"cpu": 1}}}, "at '/resources': additional properties 'limit' not allowed"),
    ({"extraEnv": [{"nam": "A"}]}, "additional properties 'nam' not allowed"),
    ({"tolerations": [{"Key": "A"}]}, "additional properties 'Key' not allowed"),
    ({"affinity": {"nodeAfinity": {}}}, "additional properties 'nodeAfinity' not allowed"),
    ({"sweep": {"layers": None}}, "at '/sweep': missing property 'layers'"),
]
WRONG = [
    ({"parallelism": 0}, "at '/parallelism': minimum: got 0, want 1"),
    ({"parallelism": "many"}, "at '/parallelism': got string, want integer"),
    ({"parallelism": 100_001}, "at '/parallelism': maximum: got 100,001, want 100,000"),
    ({"backoffLimitPerIndex": -1}, "at '/backoffLimitPerIndex': minimum: got -1, want 0"),
    ({"activeDeadlineSeconds": 0}, "at '/activeDeadlineSeconds': minimum: got 0, want 1"),
    ({"sweep": {"activation": ["rely"]}}, "at '/sweep/activation/0': value must be one of 'elu', 'gelu'"),
    ({"sweep": {"optimizer": "adm"}}, "at '/sweep/optimizer': value must be one of 'adadelta'"),
    ({"sweep": {"layers": []}}, "at '/sweep/layers': minItems: got 0, want 1"),
    ({"sweep": {"neurons": [2, 2]}}, "at '/sweep/neurons': items at 0 and 1 are equal"),
    ({"sweep": {"neurons": "2,4"}}, "at '/sweep/neurons': got string, want integer or array"),
    ({"podAnnotations": {"a": "\u007f"}}, "podAnnotations: it holds a character that YAML cannot have, such as"),
    ({"extraEnv": [{"name": "A", "value": "\u0091"}]}, "extraEnv: it holds a character that YAML cannot have"),
    ({"podLabels": {"a": 1}}, "at '/podLabels/a': got number, want string"),
    ({"image": {"pullPolicy": "always"}}, "value must be one of 'Always', 'IfNotPresent', 'Never'"),
    ({"sweep": {"output": "s3://bucket"}}, "sweep.output: 's3://bucket' is no place for results: give gs://bucket"),
    ({"sweep": {"output": "/results"}}, "is no place for results: give gs://bucket/prefix, or /output"),
    ({"sweep": {"output": "/outputs"}}, "is no place for results"),
    ({"sweep": {"output": "gs://"}}, "is no place for results"),
    ({"sweep": {"output": "/output/a\u2028b"}}, "is no place for results"),
    ({"sweep": {"output": "gs://B/x"}}, "is no place for results"),
    ({"sweep": {"output": "gs://b2b/a/../x"}}, "sweep.output: 'gs://b2b/a/../x' has a prefix that cannot be: give"),
    ({"sweep": {"output": "/output/../x"}}, "'/output/../x' may lead out of the volume claim: give /output, or a"),
    ({"sweep": {"output": "/output/x/.."}}, "'/output/x/..' may lead out of the volume claim"),
    (
        {"sweep": {"output": "gs://b2b"}, "claim": {"existing": "c"}},
        "claim.existing is 'c', but sweep.output is 'gs:",
    ),
    (
        {"sweep": {"layers": list(range(1, 101)), "neurons": list(range(1, 1002))}},
        "the grid has 100100 trials; at most",
    ),
    (
        {"sweep": {"replicates": 1_000_000, "epochs": 1_000_000}},
        "1000000 replicates x 1000000 epochs are more than",
    ),
    ({"gpu": {"enabled": True, "count": 0}}, "gpu.enabled is true, but gpu.count is 0: give a whole number from 1"),
    ({"gpu": {"enabled": True, "resourceName": ""}}, "gpu.resourceName '' is no resource: give its name, such as"),
    ({"gpu": {"enabled": True}, "sweep": {"device": "cpu"}}, "gpu.enabled is true, but sweep.device is cpu"),
    ({"sweep": {"device": "gpu"}}, "sweep.device is gpu, but gpu.enabled is false: no pod would get a GPU"),
    ({"release": "r" * 35}, "has 45 characters; at most 44 leave room"),
    ({"release": "my.release"}, "'my.release-xor-sweep' cannot be one, because a-z, 0-9 and '-' are all"),
    ({"extraEnv": [{"name": "XOR_SWEEP_NEURONS", "value": "3"}]}, "set sweep.neurons instead"),
    (
        {"extraEnv": [{"name": "JOB_COMPLETION_INDEX", "value": "0"}]},
        "extraEnv: JOB_COMPLETION_INDEX is how a pod finds its trial: with it, all pods would train the same one",
    ),
    *(
        ({"claim": {"accessModes": modes}}, "value must be one of 'ReadWriteOnce', 'ReadWriteMany'")
        for modes in (["ReadWriteOncePod"], ["ReadWriteOnce", "ReadWriteOncePod"])
    ),
]


NOT_FOR_THE_API = [
    (
        {"claim": {"size": "10GB"}},
        "claim.size: '10GB' is no quantity: give a number that is not below 0, with a unit",
    ),
    ({"claim": {"size": "0Gi"}}, "claim.size: '0Gi' is too little: give a quantity above 0, such as 1Gi"),
    (
        {"claim": {"existing": "My claim"}},
        "claim.existing: 'My claim' cannot be the name of an object: give up to 253",
    ),
    ({"claim": {"storageClassName": "Fast"}}, "claim.storageClassName: 'Fast' cannot be the name of an object"),
    ({"claim": {"annotations": {"a/b/c": "x"}}}, "claim.annotations: 'a/b/c' cannot be the name of an annotation"),
    ({"tmpSizeLimit": "1 Gi"}, "tmpSizeLimit: '1 Gi' is no quantity"),
    ({"tmpSizeLimit": -1}, "tmpSizeLimit: '-1' is no quantity"),
    ({"resources": {"requests": {"cpu": "one"}}}, "resources.requests.cpu: 'one' is no quantity"),
    ({"resources": {"limits": {"memory": "-1Gi"}}}, "resources.limits.memory: '-1Gi' is no quantity"),
    (
        {"driver": {"resources": {"limits": {"memory": "1gb"}}}},
        "driver.resources.limits.memory: '1gb' is no quantity",
    ),
    (
        {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2000M"}}},
        "resources.requests.memory: '2Gi' is more than the limit of '2000M': give a limit of that or more",
    ),
    (
        {"resources": {"requests": {"cpu": "1001m"}}},
        "resources.requests.cpu: '1001m' is more than the limit of '1'",
    ),
    ({"driver": {"resources": {"requests": {"memory": "2Gi"}}}}, "driver.resources.requests.memory: '2Gi' is more"),
    (
        {"resources": {"requests": {"gpu": 1}}},
        "resources.requests: a container cannot ask for 'gpu': give cpu, memory",
    ),
    (
        {"driver": {"resources": {"limits": {"CPU": 1}}}},
        "driver.resources.limits: a container cannot ask for 'CPU'",
    ),
    (
        {"resources": {"requests": {"example.com/x": 1}}},
        "resources.requests.example.com/x: of such a resource the limit must be given, too, and be the same",
    ),
    (
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        "tolerations: operator Exists takes no value, and has 'b': leave the value out",
    ),
    ({"gpu": {"tolerations": [{}]}}, "gpu.tolerations: one has no key: give it one, or operator Exists"),
    (
        {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]},
        "tolerations: tolerationSeconds goes with effect NoExecute only",
    ),
    ({"kueue": {"queueName": "My_queue"}}, "kueue.queueName: 'My_queue' cannot be the name of an object"),
    ({"kueue": {"queueName": "q" * 64}}, "cannot be the name of an object: give up to 63 of a-z, 0-9, '-' and '.'"),
    ({"priorityClassName": "High"}, "priorityClassName: 'High' cannot be the name of an object"),
    ({"runtimeClassName": "a..b"}, "runtimeClassName: 'a..b' cannot be the name of an object"),
    ({"serviceAccount": {"name": "me@there"}}, "serviceAccount.name: 'me@there' cannot be the name of an object"),
    ({"image": {"pullSecrets": ["My secret"]}}, "image.pullSecrets: 'My secret' cannot be the name of an object"),
    (
        {"image": {"repository": "Xor-Sweep"}},
        "image.repository: 'Xor-Sweep' cannot be the name of an image: give it in",
    ),
    (
        {"image": {"repository": "xor-sweep:dev"}},
        "image.repository: 'xor-sweep:dev' cannot be the name of an image",
    ),
    ({"image": {"tag": "a b"}}, "image.tag: 'a b' cannot be the tag of an image"),
    (
        {"image": {"digest": "sha256:abc"}},
        "image.digest: 'sha256:abc' cannot be the digest of an image: give sha256:",
    ),
    ({"extraEnv": [{"name": "A=B"}]}, "extraEnv: 'A=B' cannot be the name of a variable: give printable ASCII"),
    (
        {"podLabels": {"team": "my team"}},
        "podLabels: 'my team' cannot be the value of the label team: give up to 63",
    ),
    (
        {"podLabels": {"my team": "a"}},
        "podLabels: 'my team' cannot be the name of a label: give one such as team or",
    ),
    ({"nodeSelector": {"a": "-b"}}, "nodeSelector: '-b' cannot be the value of the label a"),
    (
        {"extraVolumes": [{"name": "tmp"}]},
        "extraVolumes: there is a volume 'tmp' already: give it another name than",
    ),
    ({"extraVolumes": [{"name": "a"}, {"name": "a"}]}, "extraVolumes: there is a volume 'a' already"),
    ({"extraVolumes": [{"name": "A b"}]}, "extraVolumes: 'A b' cannot be the name of a volume"),
    (
        {"extraVolumeMounts": [{"name": "data", "mountPath": "/data"}]},
        "extraVolumeMounts: there is no volume 'data': name one in extraVolumes, or one of sweep, tmp, output",
    ),
    (
        {"extraVolumeMounts": [{"name": "tmp", "mountPath": "/output"}]},
        "extraVolumeMounts: something is mounted at /output already: give tmp another mountPath",
    ),
]


@pytest.mark.parametrize(("values", "words"), NOT_FOR_THE_API)
def test_what_the_api_server_would_refuse_half_way_is_refused_before(chart, values, words):
    assert words in " ".join(chart.refusal(**values).split())


TAKEN = [
    *({"claim": {"size": size}} for size in (1, 2**40, "0.5", "1e3", "1E", ".5Gi", "5.", "+1Gi", "100m")),
    *({"tmpSizeLimit": size} for size in (0, "0", "1.5Gi", 10**12)),
    *(
        {"resources": {"requests": {"cpu": cpu}, "limits": {"cpu": 1}}}
        for cpu in (0, 1, 0.1, "1000m", "1e0", "1000000000n")
    ),
    {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": 2**30}}},
    {"resources": {"requests": {"memory": "1e3"}, "limits": {"memory": "1k"}}},
    {"resources": {"requests": None, "limits": None}},
    {"resources": {"limits": {"cpu": None}}, "driver": {"resources": {"limits": None}}},
    {
        "podSecurityContext": {"runAsUser": None, "fsGroup": None},
        "securityContext": {"readOnlyRootFilesystem": None},
    },
    {"tolerations": [{"operator": "Exists"}, {"key": "a", "operator": "Exists", "effect": "NoExecute"}]},
    {"tolerations": [{"key": "a", "value": "b"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}]},
    {"resources": {"requests": {"ephemeral-storage": "1Gi", "example.com/x": 2}, "limits": {"example.com/x": 2}}},
    *({"image": {"repository": name}} for name in ("a", "localhost:5000/a/b", "[::1]:5000/a", "Host.io/a__b--c.d")),
    {"image": {"tag": "_A.b-c", "digest": f"sha256:{'0' * 64}"}},
    {"podLabels": {"Team": "", "example.com/Team": "A_b.c-1"}, "podAnnotations": {"Example.com/A": "any thing"}},
    {"extraEnv": [{"name": "my-name with space", "value": "x"}]},
    {
        "sweep": {"output": "gs://bucket"},
        "extraVolumes": [{"name": "output", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "output", "mountPath": "/output"}, {"name": "tmp", "mountPath": "/more"}],
    },
]


@pytest.mark.parametrize("values", TAKEN, ids=json.dumps)
def test_what_the_api_server_takes_is_taken(chart, values):
    chart.objects(**values)


@pytest.mark.parametrize(("values", "words"), MISTYPED + WRONG)
def test_what_no_cluster_could_run_is_refused_in_words(chart, values, words):
    assert words in " ".join(chart.refusal(**values).split())


# One place where the two may differ: Helm's YAML has one kind of number, so that 2.0 is 2.
SWEEPS = [
    *(
        {"layers": layers}
        for layers in (1, 100, [1, 100], 0, 101, -1, [0], [], "1", [1.5], True, [[1]], [3, 3], {})
    ),
    *({"neurons": neurons} for neurons in (4096, 4097, [1, 4096], ["2"], [None])),
    *({"activation": names} for names in ("relu", ["relu", "tanh"], "selu", "ReLU", [], ["relu", "relu"], 3, "")),
    *({"loss": names} for names in ("binary_crossentropy", "mse", ["mean_squared_error", "bce"])),
    *({"optimizer": names} for names in ("sgd", ["adamw", "lion"], "Adam", [1])),
    *(
        {"learning_rate": rate}
        for rate in (None, 1, 1000, 1e-9, [0.1, 1], 0, -1, 1001, [0.1, 0.1], [], "0.1", [None])
    ),
    *({"replicates": count} for count in (1, 0, 1_000_001, 1.5, "1", None, [1], True)),
    *({"epochs": count} for count in (1, 1_000_000, 0, 1_000_001, {"a": 1})),
    *({"replicates": 250, "epochs": epochs} for epochs in (1_000_000, 999_999)),
    {"replicates": 251, "epochs": 1_000_000},
    *({"seed": seed} for seed in (0, 2**32 - 1, 2**32, -1, "0")),
    *({"keep_training": keep} for keep in (True, False, "yes", 1)),
    *({"device": device} for device in ("auto", "cpu", "gpu", "tpu", 1, "")),
    *({"trials_per_pod": count} for count in (1, 100_000, 0, 100_001)),
    *({name: 1} for name in ("neuron", "LAYERS", "")),
]


@pytest.mark.parametrize("sweep", SWEEPS, ids=json.dumps)
def test_helm_takes_just_those_sweeps_that_the_program_takes(chart, sweep):
    try:
        make_settings(sweep)
        taken = True
    except ConfigError:
        taken = False
    gpu = {"enabled": sweep.get("device") == "gpu"}  # Without one, the chart has no GPU for it.
    assert (chart.run("template", sweep=sweep, gpu=gpu).returncode == 0) == taken


BUCKET = "gs://bucket"
PREFIXES = [
    *(
        "",
        "/",
        "//",
        "/a",
        "/a/",
        "/a/b//",
        "//a",
        "/a//b",
        "/..",
        "/../a",
        "/a/..",
        "/a/./b",
        "/.a",
        "/a..b",
        "/a.",
    ),
    *("/a b", "/a ", " ", "/a\\b", "/a\tb", "/a\u200bb", "/ä", f"/{'a' * 240}", f"/{'a' * 241}", f"/{'ä' * 121}"),
    *("/" + "/".join(["a" * 99] * parts) for parts in (7, 8)),
]


@pytest.mark.parametrize("prefix", PREFIXES, ids=json.dumps)
def test_helm_takes_just_those_prefixes_of_a_bucket_that_the_program_takes(chart, prefix, monkeypatch):
    monkeypatch.setenv(
        "STORAGE_EMULATOR_HOST", "http://127.0.0.1:1"
    )  # No credentials are needed, nothing is asked.
    try:
        open_storage(f"{BUCKET}{prefix}")
        taken = True
    except ConfigError:
        taken = False
    assert (chart.run("template", sweep={"output": f"{BUCKET}{prefix}"}).returncode == 0) == taken
