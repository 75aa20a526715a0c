"""Values that go into a pod as they are: what no pod could run with is refused by Helm."""

import json

import pytest

from tools import kubernetes_api

from .pod_values import NEVER_RUN, REFUSED, TAKEN


@pytest.mark.parametrize("values", TAKEN, ids=json.dumps)
def test_what_a_pod_may_have_is_taken(chart, values):
    chart.objects(**values)


@pytest.mark.parametrize(("values", "words"), REFUSED + NEVER_RUN, ids=str)
def test_what_a_pod_may_not_have_is_refused_in_words(chart, values, words):
    assert words in " ".join(chart.refusal(**values).split())


def test_each_rule_is_about_a_field_that_the_api_has():
    objects = kubernetes_api.definitions()
    named = {"V1" + name for name in objects}
    fields = {f"V1{name}.{field}" for name, made in objects.items() for field in made["properties"]}
    required = {f"{name}.{field}" for name, several in kubernetes_api.ALSO_REQUIRED.items() for field in several}
    assert kubernetes_api.RULES.keys() | required <= fields
    assert kubernetes_api.WHOLE.keys() <= named
