"""templates/_validate.tpl: what would go wrong without a word is refused, with what would be right."""

import pytest

from .conftest import CHART

BUCKET = {"output": "gs://bucket"}

REFUSED = [
    ({"podAnnotations": {"a": "\u007f"}}, "podAnnotations: it contains a character that YAML does not"),
    (
        {"extraEnv": [{"name": "A", "value": "\u0091"}]},
        "extraEnv: it contains a character that YAML does not",
    ),
    *(
        (
            {"sweep": {"output": output}},
            f"sweep.output: '{output}' would be lost with its pod: use a bucket, such as gs://",
        )
        for output in ("/results", "results", "/outputs", "gs://", ".", "output/a", "/output/../x", "/output/x/..")
    ),
    (
        {"sweep": BUCKET, "claim": {"existing": "c"}},
        "claim.existing: nothing would be written to 'c', because sweep.output is 'gs://bucket': leave",
    ),
    *(
        ({"claim": {"accessModes": modes}}, "with ReadWriteOncePod, the driver and the trials would wait for each")
        for modes in (["ReadWriteOncePod"], ["ReadWriteOnce", "ReadWriteOncePod"])
    ),
    (
        {"sweep": {"layers": list(range(1, 101)), "neurons": list(range(1, 1002))}},
        "sweep: the grid has 100100 trials, more than 100000: give its axes fewer values",
    ),
    (
        {"sweep": {"replicates": 1_000_000, "epochs": 1_000_000}},
        "sweep: 1000000 replicates x 1000000 epochs are more than 250000000: use fewer",
    ),
    (
        {"gpu": {"enabled": True}, "sweep": {"device": "cpu"}},
        "gpu.enabled: each pod would take a GPU and leave it idle, because sweep.device is cpu: use",
    ),
    (
        {"sweep": {"device": "gpu"}},
        "sweep.device: no pod would get the GPU that it needs, because gpu.enabled is false: set gpu.enabled=true",
    ),
    (
        {"extraEnv": [{"name": "XOR_SWEEP_NEURONS", "value": "3"}]},
        "extraEnv: XOR_SWEEP_NEURONS would override what the chart sets: set sweep.neurons instead",
    ),
    (
        {"extraEnv": [{"name": "JOB_COMPLETION_INDEX", "value": "0"}]},
        "extraEnv: JOB_COMPLETION_INDEX tells each pod its trial, so every pod would train the same one: use",
    ),
    (
        {"serviceAccount": {"create": False}},
        "serviceAccount.name: the driver's role would go to the namespace's default account",
    ),
]

TAKEN = [
    *({"sweep": {"output": output}} for output in ("/output", "/output/", "/output/team a/..b", "/output/a:b")),
    *({"sweep": {"output": output}} for output in ("gs://b/a/../b", "s3://bucket/prefix", "memory+x.y-z://a")),
    {"extraEnv": [{"name": "XOR_SWEEP_LOG_FORMAT", "value": "text"}, {"name": "XOR_SWEEP_DEBUG", "value": "1"}]},
    {"sweep": {"device": "gpu"}, "runtimeClassName": "nvidia"},
    {"serviceAccount": {"create": False}, "rbac": {"create": False}},
    {"serviceAccount": {"create": False}, "driver": {"enabled": False}},
    {"sweep": {"layers": list(range(1, 101)), "neurons": list(range(1, 1001))}},
]


@pytest.mark.parametrize(("values", "words"), REFUSED)
def test_what_would_go_wrong_without_a_word_is_refused_in_words(chart, values, words):
    assert words in " ".join(chart.refusal(**values).split())


@pytest.mark.parametrize("values", TAKEN, ids=str)
def test_what_cannot_go_wrong_so_is_taken(chart, values):
    chart.objects(**values)


def test_templates_refuse_little():
    """Of all else the API server speaks, which knows its own version."""
    assert len((CHART / "templates/_validate.tpl").read_text().splitlines()) <= 60
