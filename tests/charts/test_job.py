"""templates/job.yaml and templates/_job.tpl: the Indexed Job and the pods of its trials."""

import random

import pytest

from job.errors import (
    EXIT_CODES,
    ConfigError,
    ConflictError,
    DeviceError,
    StorageError,
    StorageUnavailableError,
    SweepError,
    TrialError,
)
from job.settings.axes import AXES
from job.settings.grid import trials_of_pod
from job.settings.validation import make_settings


def some_grid(number):
    draw = random.Random(number)

    def some(values):
        chosen = draw.sample(values, draw.randint(1, min(4, len(values))))
        return chosen[0] if len(chosen) == 1 and draw.random() < 0.5 else chosen

    some_numbers = {int: range(1, 101), float: [0.001, 1, 0.5, 1e-5, 2.5e-7]}
    grid = {axis.name: some(axis.known or some_numbers[axis.kind]) for axis in AXES}
    grid |= {
        "layers": some(draw.choice([range(101), range(3)])),
        "trials_per_pod": draw.choice([1, 1, 2, 3, 7, 100, 100_000]),
    }
    for axis in draw.sample(sorted(grid), draw.randint(0, 5)):
        del grid[axis]
    return grid


@pytest.mark.parametrize("number", range(30))
def test_completions_are_as_many_pods_as_the_program_counts(chart, number):
    grid = some_grid(number)
    settings = make_settings(grid)
    spec = chart.job(sweep=grid)["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == settings.pod_count
    assert trials_of_pod(settings, spec["completions"] - 1)


@pytest.mark.parametrize(
    "grid",
    [
        {"layers": 2, "neurons": 4},
        {"layers": list(range(1, 101)), "neurons": list(range(1, 1001))},
        {"layers": list(range(1, 101)), "neurons": list(range(1, 1001)), "trials_per_pod": 99_999},
        {"learning_rate": None},
        {"layers": 0, "activation": ["relu", "tanh"]},
        {"layers": [1, 0, *range(2, 101)], "neurons": list(range(1, 1000)), "optimizer": ["sgd"]},
    ],
    ids=[
        "one trial, from single values",
        "100,000 trials",
        "100,000 trials in two pods",
        "no learning rate",
        "no hidden layer",
        "no hidden layer among many",
    ],
)
def test_completions_of_the_smallest_and_the_largest_grid_are_the_programs(chart, grid):
    assert chart.job(sweep=grid)["spec"]["completions"] == make_settings(grid).pod_count


ACTIONS = {2: "FailJob", 3: "FailIndex", 5: "FailJob"}


def test_the_jobs_policy_has_an_action_for_just_the_exit_codes_that_no_retry_helps(chart):
    first, second, last = chart.job()["spec"]["podFailurePolicy"]["rules"]
    rules = {code: rule["action"] for rule in (first, second) for code in rule["onExitCodes"]["values"]}
    assert rules == ACTIONS
    assert all(rule["onExitCodes"]["operator"] == "In" for rule in (first, second))
    assert all(rule["onExitCodes"]["containerName"] == "trial" for rule in (first, second))
    assert last == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}


def test_every_exit_code_of_the_program_is_judged_by_the_policy_or_counted():
    counted = {0, 1, 4, 130, 143}
    assert set(EXIT_CODES) == counted | set(ACTIONS)
    hopeless = {error.exit_code for error in (ConfigError, TrialError, StorageError)}
    assert hopeless == set(ACTIONS)
    assert {
        error.exit_code for error in (SweepError, DeviceError, StorageUnavailableError, ConflictError)
    } <= counted


def test_each_trial_is_tried_again_by_itself_and_the_kubelet_restarts_nothing(chart):
    spec = chart.job(parallelism=7, backoffLimitPerIndex=0)["spec"]
    assert spec["parallelism"] == 7
    assert spec["backoffLimitPerIndex"] == 0
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert "backoffLimit" not in spec


@pytest.mark.parametrize(("most", "rendered"), [(None, None), (0, 0), (3, 3), (15, 15), (1000, 15)])
def test_max_failed_indexes_is_never_more_than_the_api_server_takes(chart, most, rendered):
    assert chart.job(maxFailedIndexes=most)["spec"].get("maxFailedIndexes") == rendered


def test_deadlines_are_those_of_the_values(chart):
    spec = chart.job(
        activeDeadlineSeconds=3000000000,
        podActiveDeadlineSeconds=600,
        ttlSecondsAfterFinished=0,
        terminationGracePeriodSeconds=15,
    )["spec"]
    assert spec["activeDeadlineSeconds"] == 3000000000
    assert spec["ttlSecondsAfterFinished"] == 0
    assert spec["template"]["spec"]["activeDeadlineSeconds"] == 600
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 15


def test_never_is_no_deadline(chart):
    spec = chart.job(activeDeadlineSeconds="never", ttlSecondsAfterFinished="never")["spec"]
    assert "activeDeadlineSeconds" not in spec
    assert "ttlSecondsAfterFinished" not in spec


def test_a_pod_has_no_deadline_of_its_own_unless_it_is_given_one(chart):
    assert "activeDeadlineSeconds" not in chart.pod()


def test_the_jobs_name_carries_the_revision(chart):
    assert chart.job()["metadata"]["name"] == "demo-xor-sweep-r1"
    assert chart.job(release="my-xor-sweep")["metadata"]["name"] == "my-xor-sweep-r1"
    assert chart.job(fullnameOverride="xs")["metadata"]["name"] == "xs-r1"


def test_the_longest_names_fit_into_a_pods_host_name(chart):
    name = chart.job(release="r" * 34)["metadata"]["name"]
    assert len(f"{name}99999-99999") <= 63


def test_labels_are_kubernetes_recommended_ones(chart):
    job = chart.job(release="demo")
    assert job["metadata"]["labels"] == {
        "helm.sh/chart": "xor-sweep-0.1.0",
        "app.kubernetes.io/name": "xor-sweep",
        "app.kubernetes.io/instance": "demo",
        "app.kubernetes.io/version": "0.1.0",
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/component": "sweep",
    }


def test_pod_labels_come_beside_the_charts_own_and_never_instead(chart):
    values = {"podLabels": {"team": "a", "app.kubernetes.io/instance": "other"}, "podAnnotations": {"note": "b"}}
    metadata = chart.job(**values)["spec"]["template"]["metadata"]
    assert metadata["labels"]["team"] == "a"
    assert metadata["labels"]["app.kubernetes.io/instance"] == "demo"
    assert metadata["labels"]["app.kubernetes.io/component"] == "trial"
    assert metadata["annotations"] == {"note": "b"}


def test_a_pod_trains_the_trial_of_its_index_in_the_jobs_run(chart):
    container = chart.container()
    env = {
        item["name"]: item.get("value") or item["valueFrom"]["fieldRef"]["fieldPath"] for item in container["env"]
    }
    assert container["args"] == ["trial"]
    assert "command" not in container
    assert env == {
        "XOR_SWEEP_CONFIG": "/etc/xor-sweep/sweep.yaml",
        "XOR_SWEEP_IMAGE": "xor-sweep:0.1.0",
        "XOR_SWEEP_POD_UID": "metadata.uid",
        "XOR_SWEEP_FAILURE_COUNT": "metadata.annotations['batch.kubernetes.io/job-index-failure-count']",
        "XOR_SWEEP_RUN": "metadata.labels['batch.kubernetes.io/job-name']",
    }


def test_pods_keep_to_the_restricted_pod_security_standard_and_hold_no_token(chart):
    pod = chart.pod()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_a_pod_that_fails_keeps_its_last_words(chart):
    assert chart.container()["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_tmp_is_writable_and_bounded(chart):
    pod = chart.pod(tmpSizeLimit="3Gi")
    assert {"name": "tmp", "mountPath": "/tmp"} in pod["containers"][0]["volumeMounts"]
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "3Gi"}} in pod["volumes"]


def test_the_sweep_file_is_mounted_from_the_config_map_of_the_same_name(chart):
    objects = chart.objects()
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert {"name": "sweep", "configMap": {"name": objects["ConfigMap"]["metadata"]["name"]}} in pod["volumes"]
    mount = {"name": "sweep", "mountPath": "/etc/xor-sweep", "readOnly": True}
    assert mount in pod["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(
    ("image", "gpu", "reference"),
    [
        ({}, False, "xor-sweep:0.1.0"),
        ({}, True, "xor-sweep:0.1.0-gpu"),
        ({"repository": "gcr.io/p/x", "tag": "dev"}, True, "gcr.io/p/x:dev"),
        ({"tag": "dev", "digest": "sha256:" + "a" * 64}, False, "xor-sweep@sha256:" + "a" * 64),
    ],
)
def test_the_image_is_the_digest_or_the_tag_or_the_charts_version(chart, image, gpu, reference):
    assert chart.container(image=image, gpu={"enabled": gpu})["image"] == reference


def test_the_image_is_pulled_as_the_values_say(chart):
    pod = chart.pod(image={"pullPolicy": "Never", "pullSecrets": ["a", "b"]})
    assert pod["containers"][0]["imagePullPolicy"] == "Never"
    assert pod["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]


def test_a_gpu_is_asked_for_with_its_nodes_labels_and_taints(chart):
    taint = {"key": "gpu", "operator": "Exists"}
    gpu = {"enabled": True, "resourceName": "nvidia.com/mig-1g.10gb", "count": 2, "nodeSelector": {"g": "h100"}}
    pod = chart.pod(gpu={**gpu, "tolerations": [taint]}, nodeSelector={"zone": "b"}, tolerations=[{"key": "x"}])
    resources = pod["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": 1, "memory": "1536Mi", "nvidia.com/mig-1g.10gb": 2}
    assert resources["requests"] == resources["limits"]
    assert pod["nodeSelector"] == {"zone": "b", "g": "h100"}
    assert pod["tolerations"] == [{"key": "x"}, taint]


def test_nothing_speaks_of_gpus_while_they_are_off(chart):
    pod = chart.pod(gpu={"nodeSelector": {"g": "h100"}})
    assert set(pod["containers"][0]["resources"]["limits"]) == {"cpu", "memory"}
    assert "nodeSelector" not in pod
    assert "tolerations" not in pod


@pytest.mark.parametrize("scheme", ["gs", "s3", "another"])
def test_a_bucket_needs_no_claim(chart, scheme):
    objects = chart.objects(sweep={"output": f"{scheme}://bucket/prefix"})
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["sweep", "tmp"]
    assert "PersistentVolumeClaim" not in objects


def test_kueue_gets_the_queues_name_and_a_suspended_job(chart):
    job = chart.job(kueue={"queueName": "gpus"})
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert job["spec"]["suspend"] is True
    plain = chart.job()
    assert "kueue.x-k8s.io/queue-name" not in plain["metadata"]["labels"]
    assert "suspend" not in plain["spec"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priorityClassName", "high"),
        ("runtimeClassName", "nvidia"),
        (
            "affinity",
            {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}},
        ),
        ("tolerations", [{"key": "spot", "operator": "Exists"}]),
        ("nodeSelector", {"disk": "ssd"}),
    ],
)
def test_what_a_pod_has_of_that_name_is_what_the_values_say(chart, name, value):
    assert chart.pod(**{name: value})[name] == value
    assert name not in chart.pod()


def test_topology_spread_counts_the_trials_pods_unless_it_says_which(chart):
    one = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    own = {**one, "topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
    first, second = chart.pod(topologySpreadConstraints=[one, own])["topologySpreadConstraints"]
    labels = chart.job()["spec"]["template"]["metadata"]["labels"]
    assert first["labelSelector"]["matchLabels"].items() <= labels.items()
    assert second == own


def test_extra_environment_and_volumes_come_beside_the_charts_own(chart):
    variable = {"name": "STORAGE_EMULATOR_HOST", "value": "http://gcs:4443"}
    volume, mount = {"name": "ca", "configMap": {"name": "ca"}}, {"name": "ca", "mountPath": "/ca"}
    sources = [{"secretRef": {"name": "keys"}}]
    pod = chart.pod(extraEnv=[variable], envFrom=sources, extraVolumes=[volume], extraVolumeMounts=[mount])
    container = pod["containers"][0]
    assert variable in container["env"]
    assert container["envFrom"] == sources
    assert volume in pod["volumes"]
    assert mount in container["volumeMounts"]
