"""templates/persistentvolumeclaim.yaml: the claim that holds the runs."""


def test_the_chart_makes_a_claim_and_mounts_it_where_the_program_writes(chart):
    objects = chart.objects()
    claim = objects["PersistentVolumeClaim"]
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    assert {"name": "output", "persistentVolumeClaim": {"claimName": "demo-xor-sweep"}} in pod["volumes"]
    assert {"name": "output", "mountPath": "/output"} in pod["containers"][0]["volumeMounts"]
    assert claim["metadata"]["name"] == "demo-xor-sweep"
    assert "helm.sh/resource-policy" not in claim["metadata"]["annotations"]


def test_the_claim_is_as_the_values_say(chart):
    values = {
        "size": "5Gi",
        "storageClassName": "fast",
        "accessModes": ["ReadWriteMany"],
        "annotations": {"a": "b"},
    }
    claim = chart.objects(claim=values)["PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"]["a"] == "b"
    assert claim["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "5Gi"}},
    }


def test_a_claim_that_is_to_be_kept_outlives_the_release(chart):
    claim = chart.objects(claim={"keep": True})["PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_an_existing_claim_is_mounted_and_none_is_made(chart):
    objects = chart.objects(claim={"existing": "results"}, sweep={"output": "/output/team-a"})
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert "PersistentVolumeClaim" not in objects
    assert {"name": "output", "persistentVolumeClaim": {"claimName": "results"}} in pod["volumes"]
