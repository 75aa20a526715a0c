"""templates/serviceaccount.yaml: whom the pods are to a cloud; to the cluster the trials are nobody."""


def test_the_service_account_takes_workload_identitys_annotation_and_mounts_no_token(chart):
    annotations = {"iam.gke.io/gcp-service-account": "sweep@project.iam.gserviceaccount.com"}
    objects = chart.objects(serviceAccount={"annotations": annotations})
    account = objects["ServiceAccount"]
    assert account["metadata"]["annotations"] == annotations
    assert account["automountServiceAccountToken"] is False
    assert objects["Job"]["spec"]["template"]["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_an_existing_service_account_is_used_by_its_name(chart):
    objects = chart.objects(serviceAccount={"create": False, "name": "mine"})
    assert "ServiceAccount" not in objects
    assert objects["Job"]["spec"]["template"]["spec"]["serviceAccountName"] == "mine"


def test_without_a_service_account_the_namespaces_default_is_used(chart):
    assert chart.pod(serviceAccount={"create": False}, driver={"enabled": False})["serviceAccountName"] == "default"
