"""templates/tests/trial.yaml: what `helm test` runs."""

from job.cli.main import cli


def test_helm_test_trains_the_smallest_trial_in_a_pod_like_the_sweeps(chart):
    objects = chart.objects(gpu={"enabled": True})
    test, trial = objects["Pod"]["spec"], objects["Job"]["spec"]["template"]["spec"]
    context = cli.commands["trial"].make_context("trial", test["containers"][0]["args"][1:])
    given = {name: value for name, value in context.params.items() if value is not None}
    assert (
        given.items() >= {"index": 0, "layers": [1], "neurons": [2], "replicates": 1, "trials_per_pod": 1}.items()
    )
    assert test.pop("activeDeadlineSeconds") == 600
    for pod in (test, trial):
        del pod["containers"][0]["args"]
        pod["containers"][0]["env"] = [
            item for item in pod["containers"][0]["env"] if item["name"] != "XOR_SWEEP_RUN"
        ]
    assert test == trial


def test_each_helm_test_writes_a_run_of_its_own(chart):
    names = [item["name"] for item in chart.objects()["Pod"]["spec"]["containers"][0]["env"]]
    run = chart.objects()["Pod"]["spec"]["containers"][0]["env"][names.index("XOR_SWEEP_RUN")]
    assert run["value"] == "helm-test-$(XOR_SWEEP_POD_UID)"
    assert names.index("XOR_SWEEP_POD_UID") < names.index("XOR_SWEEP_RUN")


def test_helm_tests_pod_is_gone_after_the_test_because_uninstall_would_leave_it(chart):
    annotations = chart.objects()["Pod"]["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded,hook-failed"
    assert annotations["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"
