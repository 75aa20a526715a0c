"""The chart in other charts and under other versions than its own."""

import re
import shutil

import pytest
from ruamel.yaml import YAML

from .conftest import CHART, Chart


@pytest.fixture
def parent(tmp_path, each_helm):
    """A chart that has this one as its subchart, as "grid"."""
    depends = {"name": "xor-sweep", "version": "*", "alias": "grid", "condition": "grid.enabled"}
    about = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [depends]}
    shutil.copytree(CHART, tmp_path / "charts/xor-sweep")
    YAML().dump(about, tmp_path / "Chart.yaml")
    return Chart(each_helm, tmp_path)


def test_under_an_alias_the_program_finds_the_sweep(parent):
    objects = parent.objects(grid={"enabled": True, "retrain": {"schedule": "@daily"}})
    assert objects["Job"]["metadata"]["name"] == "demo-grid-r1"
    for item in objects.values():
        assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "xor-sweep"
        assert item["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo"


def test_a_null_in_the_parents_values_means_the_default_too(parent):
    nulls = {"sweep": None, "claim": {"size": None}, "parallelism": None, "driver": {"resources": None}}
    assert parent.objects(grid=nulls) == parent.objects()


def test_a_condition_of_the_parent_leaves_it_out(parent):
    assert parent.objects(grid={"enabled": False}) == {}


def test_a_parent_that_mistypes_the_condition_is_told(parent):
    said = parent.refusal(grid={"enabled": "maybe"})
    assert "at '/enabled': got string, want null or boolean" in said


@pytest.fixture
def built(tmp_path, each_helm):
    """The chart with a version that says which build it is, which neither a label nor a tag can."""
    folder = shutil.copytree(CHART, tmp_path / CHART.name)
    about = YAML().load(folder / "Chart.yaml")
    about |= {"version": "0.1.1+abc", "appVersion": "0.1.1+abc"}
    YAML().dump(about, folder / "Chart.yaml")
    return Chart(each_helm, folder)


@pytest.mark.parametrize("image", [{"tag": "dev"}, {"digest": f"sha256:{'0' * 64}"}], ids=str)
def test_a_builds_version_becomes_a_label(built, image):
    for item in built.objects(image=image, retrain={"schedule": "@daily"}).values():
        labels = item["metadata"]["labels"]
        assert labels["helm.sh/chart"] == "xor-sweep-0.1.1_abc"
        assert labels["app.kubernetes.io/version"] == "0.1.1_abc"
        assert all(re.fullmatch(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,62}", value) for value in labels.values())


def test_a_builds_version_becomes_a_tag_that_an_image_can_have(built):
    assert built.container(gpu={"enabled": True})["image"] == "xor-sweep:0.1.1_abc-gpu"
