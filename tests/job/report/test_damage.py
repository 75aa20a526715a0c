"""The report of a run that is not whole, not sound, very large, or hostile."""

import csv
import hashlib
import json
import math
import re
import shutil
import urllib.request
from urllib.parse import quote

import pytest
from pages import p_words, parse
from recomputed import log_rank, read_rows
from run_files import attempt_of, damaged, result_of, rows_of, under_other_names

from job.report.page import write_report
from job.report.svg import elements
from job.report.undone import Undone
from job.runs.run import Run
from job.settings.grid import trials
from job.settings.sweep import Settings
from job.storage import open_storage

TRIALS = ("l1-n32", "l1-n8", "l1-n2")  # best first
LIMIT = 400


def test_the_report_of_an_unfinished_run_says_what_is_missing(copy, write):
    shutil.rmtree(copy / "trials" / "l1-n8")
    _, page = write()
    assert "1 of 3 trials has no result: l1-n8" in page.one("p", "warning").text
    assert "1 of 3 trials has no result" in page.one("p", "verdict").text
    (row,) = list(page.one("section", id="undone").one("tbody").each("tr"))
    assert row.text.startswith("l1-n8")
    assert [cell["data-tip"] for cell in page.each("g", "cell")] == ["l1-n8\nno result yet"]


def test_the_report_of_a_run_without_any_result_is_a_page_that_says_so(copy, write):
    shutil.rmtree(copy / "trials")
    shutil.rmtree(copy / "report")
    _, page = write()
    assert "No trial has a result" in page.one("p", "verdict").text
    assert "3 of 3 trials have no result: l1-n2, l1-n8 and l1-n32" in page.one("p", "warning").text
    names = {path.name for path in (copy / "report").iterdir() if not path.name.startswith(".")}
    assert names == {"index.html", "activations.svg"}


def test_a_run_that_no_trial_has_begun_has_a_page(tmp_path):
    """The driver's, where the Job failed before its first pod ran."""
    run = Run(open_storage(str(tmp_path)), Settings(run="early"), "early")
    failed = [Undone(trial.name, "failed", "Unschedulable: no node") for trial in trials(run.settings)]
    report = write_report(run, failed)
    page = parse((tmp_path / "runs" / "early" / "report" / "index.html").read_text())
    assert report.damage == []
    assert len(list(page.one("section", id="undone").one("tbody").each("tr"))) == 15
    assert "Unschedulable: no node" in page.one("section", id="undone").text


def test_a_picture_of_a_run_without_any_result_is_refused(copy, say, here):
    shutil.rmtree(copy / "trials")
    said = say("plot", "survival", copy)
    assert said.code == 1
    assert "nothing to draw" in said.error
    assert not (here / "survival.svg").exists()


DAMAGES = {
    "result.json is cut off": ("result.json", lambda data: data[: len(data) // 2]),
    "result.json is binary": ("result.json", lambda _: b"\x80\xff\x00"),
    "result.json is of another sweep": ("result.json", lambda data: data.replace(b'_hash": "', b'_hash": "0')),
    "result.json nests too deep": ("result.json", lambda _: b"[" * 200_000),
    "result.json is another trial's": ("result.json", lambda data: data.replace(b'"l1-n2"', b'"l1-n8"')),
    "result.json leads elsewhere": ("result.json", lambda data: data.replace(b'"l1-n2"', b'"../../../etc"')),
    "replicates.csv has another number": ("*/replicates.csv", lambda data: data.replace(b",400,", b",399,", 1)),
    "replicates.csv is gone": ("*/replicates.csv", None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_corrupt_result_is_marked_and_the_report_is_of_what_is_sound(copy, write, damage):
    path = damaged(copy / "trials" / "l1-n2", *DAMAGES[damage])
    said, page = write(code=1)
    assert path.name in said.error
    assert "1 result is damaged" in page.one("p", "warning").text
    (row,) = list(page.one("section", id="undone").one("tbody").each("tr"))
    assert row.text.startswith("l1-n2damaged")
    assert path.name in row.text
    assert [cell["data-tip"] for cell in page.each("g", "cell")] == ["l1-n2\ndamaged"]
    table = [cell.text for cell in page.one("section", id="leaderboard").one("tbody").each("th")]
    assert [words.split()[0] for words in table] == ["l1-n32", "l1-n8"]
    expected = log_rank(read_rows(copy, "l1-n32"), read_rows(copy, "l1-n8"))[1]
    assert page.one("section", id="leaderboard").text.endswith(
        f" {p_words(expected)} 1 8 33"
    )  # of two trials, one pair


def test_a_picture_of_a_run_with_a_damaged_result_is_of_what_is_sound_and_says_so(copy, say, here):
    damaged(copy / "trials" / "l1-n2", "result.json", lambda data: data[: len(data) // 2])
    said = say("plot", "survival", copy)
    assert (said.code, said.out) == (1, "survival.svg\n")
    assert said.error == say("report", copy).error
    drawn = (here / "survival.svg").read_text()
    assert "l1-n8" in drawn
    assert "l1-n2" not in drawn


def seal(run, trial, name):
    """Give result.json the size and the checksum that a file has now."""
    path = attempt_of(run, trial) / name
    result = result_of(run, trial)
    for file in result["files"]:
        if file["name"] == name:
            file.update(size=path.stat().st_size, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    (run / "trials" / trial / "result.json").write_text(json.dumps(result))


WRONG_ROWS = {
    "a row is missing": lambda lines: lines[:-1],
    "an epoch is beyond the limit": lambda lines: [*lines[:-1], "7,401,401,0.1,1.0"],
    "a row is short": lambda lines: [*lines[:-1], "7"],
    "an epoch is no epoch": lambda lines: [*lines[:-1], f"7,{10**23},400,0.1,1.0"],
    "a field is too long": lambda lines: [*lines[:-1], f"7,{'1' * 200_000},400,0.1,1.0"],
}


@pytest.mark.parametrize("wrong", WRONG_ROWS)
def test_rows_that_the_sweep_cannot_have_are_damage_although_their_checksum_is_right(copy, write, wrong):
    path = attempt_of(copy, "l1-n2") / "replicates.csv"
    path.write_text("\n".join(WRONG_ROWS[wrong](path.read_text().splitlines())) + "\n")
    seal(copy, "l1-n2", "replicates.csv")
    said, page = write(code=1)
    assert "replicates.csv is damaged" in said.error
    assert "1 result is damaged" in page.one("p", "warning").text


@pytest.mark.parametrize("time", ["Infinity", "NaN", "-1", "1e308", "9" * 400])
def test_a_time_that_cannot_be_is_left_out(copy, write, time):
    result = copy / "trials" / "l1-n2" / "result.json"
    seconds = re.compile(r'"(compile|other)_seconds": [\d.]+')
    changed = seconds.sub(rf'"\1_seconds": {time}', result.read_text())
    assert changed.count(time) == 2
    result.write_text(changed)
    _, page = write()
    assert "l1-n2" in page.one("section", id="times").text


@pytest.mark.parametrize("name", ["history.csv", "networks.json"])
def test_a_damaged_curve_is_named_and_the_trial_keeps_its_place(copy, write, name):
    (path,) = (copy / "trials" / "l1-n8").glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[:-40])
    said, page = write(code=1)
    assert name in said.error
    article = page.one("article", id="trial-l1-n8")
    assert name in article.one("p", "warning").text
    assert len(list(page.one("section", id="leaderboard").one("tbody").each("tr"))) == 3


def change_networks(run, trial, change):
    """Change what networks.json holds, and its checksum in result.json with it."""
    path = attempt_of(run, trial) / "networks.json"
    networks = json.loads(path.read_text())
    change(networks)
    path.write_text(json.dumps(networks))
    seal(run, trial, "networks.json")


ONE_GROUP = {"predictions": [False] * 4, "count": 1, "seed": 1, "plane": [[0.5] * 41] * 41}

WRONG_NETWORKS = {
    "weights of another network": lambda networks: networks["chosen"]["weights"].pop(),
    "a ragged kernel": lambda networks: networks["chosen"]["weights"][0][0].pop(),
    "a weight that is no number": lambda networks: networks["chosen"]["weights"][1].__setitem__(0, "<b>"),
    "a plane of another size": lambda networks: networks["chosen"]["plane"].pop(),
    "a curve that goes back": lambda networks: networks["first"][0].update(until=0),
    "three predictions": lambda networks: networks["chosen"]["predictions"].pop(),
    "an accuracy above 1": lambda networks: networks["first"][0]["accuracy"].__setitem__(0, 1.5),
    "an accuracy that is no number": lambda networks: networks["first"][0]["accuracy"].__setitem__(0, math.nan),
    "an answer above 1": lambda networks: networks["chosen"]["plane"][0].__setitem__(0, 1.5),
    "an answer below 0": lambda networks: networks["chosen"]["predictions"].__setitem__(0, -1e300),
    "a group of no start": lambda networks: networks["unsolved"].append({**ONE_GROUP, "count": 0}),
    "no chosen network": lambda networks: networks.pop("chosen"),
}


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_model_that_is_gone_or_damaged_is_named_and_the_page_does_not_offer_it(copy, write, how):
    damaged(attempt_of(copy, "l1-n8"), "model.keras", None if how == "gone" else lambda _: b"junk")
    said, page = write(code=1)
    assert f"/model.keras is {how}" in said.error
    article = page.one("article", id="trial-l1-n8")
    assert f"model.keras is {how}" in article.one("p", "warning").text
    assert not list(article.each("pre"))
    assert not [link for link in article.each("a") if link["href"].endswith("model.keras")]
    assert page.one("pre", id="load-l1-n32")


@pytest.mark.parametrize("wrong", WRONG_NETWORKS)
def test_networks_that_cannot_be_are_named_and_not_drawn(copy, write, wrong):
    change_networks(copy, "l1-n8", WRONG_NETWORKS[wrong])
    said, page = write(code=1)
    assert "networks.json is damaged" in said.error
    article = page.one("article", id="trial-l1-n8")
    assert not list(article.each("svg", "network"))
    assert len(list(article.each("svg", "accuracy"))) == 1  # from history.csv


def test_a_group_of_one_start_is_no_damage(copy, write):
    change_networks(copy, "l1-n8", lambda networks: networks["unsolved"].append(ONE_GROUP))
    write()


@pytest.mark.parametrize("column", ["accuracy_q10", "accuracy_median", "accuracy_q90", "accuracy_mean"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_history_with_a_number_that_is_not_finite_is_named_and_not_drawn(copy, write, column, number):
    *rows, before_the_last, last = rows_of(copy, "l1-n8", "history.csv")
    rows = [*rows, {**before_the_last, column: number}, last]
    content = "\n".join(",".join(row) for row in [last, *(row.values() for row in rows)])
    (attempt_of(copy, "l1-n8") / "history.csv").write_text(content)
    seal(copy, "l1-n8", "history.csv")
    said, page = write(code=1)
    assert "history.csv is damaged" in said.error
    assert not list(page.one("article", id="trial-l1-n8").each("path", "quantiles"))


def test_a_network_that_left_the_finite_numbers_or_is_too_large_to_draw_has_a_page(copy, write):
    def change(networks):
        networks["chosen"]["plane"] = [[None] * 41] * 41
        networks["chosen"]["predictions"] = [None] * 4
        networks["chosen"]["weights"] = None

        networks["unsolved"] = [ONE_GROUP | {"plane": [[None] * 41] * 41}]

    assert "grey is not a number" not in write()[1].one("section", id="boundaries").text
    change_networks(copy, "l1-n8", change)
    _, page = write()
    article = page.one("article", id="trial-l1-n8")
    assert "0 xor 0: not a number" in article.text
    assert "too many to draw" in article.text
    assert "grey is not a number" in page.one("section", id="boundaries").text
    assert "unsolved do not answer with numbers" in page.one("section", id="unsolved").text


def test_of_a_trial_that_is_named_all_groups_of_starts_that_never_solved_it_are_drawn(copy, write, say):
    change_networks(copy, "l1-n2", lambda networks: networks.update(unsolved=[ONE_GROUP] * 30))
    change_networks(copy, "l1-n8", lambda networks: networks.update(unsolved=[]))
    assert len(list(write()[1].one("section", id="unsolved").each("figure"))) == 24
    assert say("plot", "unsolved", copy, "--to", "-", "--trials", "l1-n2").out.count("<image") == 30
    assert say("plot", "unsolved", copy, "--to", "-").out.count("<image") == 24


def test_very_large_weights_are_drawn(copy, write):
    def change(networks):
        networks["chosen"]["weights"][0][0][0] = 1e308
        networks["chosen"]["weights"][1][0] = -1e308

    change_networks(copy, "l1-n8", change)
    _, page = write()
    assert "up to 1e+308" in page.one("article", id="trial-l1-n8").text


def test_the_page_of_a_large_grid_says_what_it_leaves_out(copy, say):
    """Real results, under the names of a grid of 1,200 trials."""
    config = Settings(
        layers=tuple(range(1, 21)),
        neurons=tuple(range(1, 31)),
        activation=("relu", "tanh"),
        replicates=16,
        epochs=LIMIT,
    )
    large = copy.parent / "large"
    under_other_names(copy, TRIALS, config, large)
    said = say("report", large)
    assert said.code == 0, said.err
    text = (large / "report" / "index.html").read_text()
    page = parse(text)
    assert len(text) < 3_000_000
    assert len(list(page.each("article"))) == len(list(page.each("g", "series"))) == 100
    assert "The best 100 of 1,200 trials are drawn individually" in page.one("section", id="survival").text
    assert len(list(page.one("section", id="leaderboard").one("tbody").each("tr"))) == 1000
    assert "has 200 more trials." in page.one("section", id="leaderboard").text
    assert len(list(page.each(None, "cell"))) == 600
    assert (
        "1 combination of the other axes is not drawn, because it has none of the best trials"
        in page.one("section", id="grid").text
    )
    names = {element["id"] for element in page.each() if "id" in element.attributes}
    targets = {link["href"] for link in page.each("a") if link["href"].startswith("#")}
    assert {target[1:] for target in targets} <= names
    assert len((large / "report" / "leaderboard.csv").read_text().splitlines()) == 1201
    solved = sum(int(row["solved"]) for row in csv.DictReader((large / "report" / "leaderboard.csv").open()))
    why = "never solved it, but none can be shown: only the best 100 trials are"
    assert f"{16 * 1200 - solved:,} starts {why}" in page.one("section", id="unsolved").text


def test_learning_rates_that_hardly_differ_have_a_panel_each(copy, say):
    rates = (0.0300001, 0.03000012, 0.01)
    config = Settings(layers=(1,), neurons=(4, 8), learning_rate=rates, replicates=16, epochs=LIMIT)
    near = copy.parent / "near"
    under_other_names(copy, TRIALS, config, near)
    assert say("report", near).code == 0
    page = parse((near / "report" / "index.html").read_text())
    panels = [panel.one("h3").text for panel in page.each("div", "panel")]
    assert sorted(panels) == ["learning rate 0.01", "learning rate 0.0300001", "learning rate 0.03000012"]
    assert len(list(page.each(None, "cell"))) == 6
    assert "0.0300001, 0.03000012, 0.01" in page.one("section", id="sweep").text
    assert {row.each("td", "axis").__next__().text for row in page.one("tbody").each("tr")} == {
        "0.0300001",
        "0.03000012",
        "0.01",
    }


def test_a_run_that_is_older_than_networks_json_has_a_page_that_says_what_is_missing(copy, write):
    for trial in TRIALS:
        (attempt_of(copy, trial) / "networks.json").unlink()
        path = copy / "trials" / trial / "result.json"
        result = json.loads(path.read_text())
        result["files"] = [file for file in result["files"] if file["name"] != "networks.json"]
        result["summary"] = {key: of for key, of in result["summary"].items() if not key.endswith("_seconds")}
        path.write_text(json.dumps(result))
    _, page = write()
    for trial in TRIALS:
        assert "made without networks.json" in page.one("article", id=f"trial-{trial}").one("p", "warning").text
    assert "No trial has recorded how long it took" in page.one("section", id="times").text
    assert not list(page.each("svg", "network"))


def test_a_trial_that_failed_is_shown_with_its_reason(diverged_sweep, say):
    (run,) = (diverged_sweep.folder / "runs").iterdir()
    for again in (False, True):
        if again:
            assert say("report", run).code == 0
        page = parse((run / "report" / "index.html").read_text())
        (row,) = list(page.one("section", id="undone").one("tbody").each("tr"))
        assert "failed" in row.text
        assert "is no longer a finite number" in row.text
        assert page.one("p", "warning").text.startswith("1 of 2 trials failed: ")
        assert "not finished" not in page.text


def test_what_the_driver_found_out_is_shown_and_its_words_are_escaped(copy, write):
    shutil.rmtree(copy / "trials" / "l1-n8")
    why = "OOMKilled: <script>alert(1)</script> \"quoted\" & 'more'"
    summary = {"failed": [{"trial": "l1-n8", "why": why, "log": ["</pre><img src=x onerror=alert(2)>"]}]}
    (copy / "report" / "summary.json").write_text(json.dumps(summary))
    _, page = write()
    section = page.one("section", id="undone")
    assert why in section.text
    assert "</pre><img src=x onerror=alert(2)>" in section.one("pre").text
    assert len(list(page.each("script"))) == 1
    assert not list(page.each("img"))


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"failed": [3]}', b'{"failed": {"a": 1}}', b"\xff", b"[" * 200_000]
)
def test_a_damaged_summary_of_the_driver_is_in_nobodys_way(copy, write, content):
    shutil.rmtree(copy / "trials" / "l1-n8")
    (copy / "report" / "summary.json").write_bytes(content)
    _, page = write()
    assert "l1-n8" in page.one("section", id="undone").text


def test_a_log_that_nests_too_deep_says_nothing(copy, write):
    attempt = attempt_of(copy, "l1-n8")
    (copy / "trials" / "l1-n8" / "result.json").unlink()
    (attempt / "log.jsonl").write_bytes(b"[" * 200_000)
    _, page = write()
    assert "no attempt has ended" in page.one("section", id="undone").text


def test_half_a_character_in_a_file_of_the_run_is_no_end_of_the_page(copy, write):
    path = copy / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "image": "half a \ud800 character"}))
    _, page = write()
    assert "half a ? character" in page.one("section", id="sweep").text


@pytest.mark.parametrize("way", ["a folder", "a link to nothing"])
def test_what_is_in_the_way_of_the_page_is_told(copy, say, way):
    index = copy / "report" / "index.html"
    index.unlink()
    if way == "a folder":
        index.mkdir()
    else:
        index.symlink_to("/no/such/file")
    said = say("report", copy)
    assert said.code == 5
    assert f"{index}: File exists; another file or folder already has that name" in said.error


def test_a_pictures_words_and_attributes_are_escaped():
    drawn = elements.tag("text", "<b>&", elements.tag("tspan", "1 < 2"), aria_label='"><script>', x=1.5)
    assert (
        drawn == '<text aria-label="&#34;&gt;&lt;script&gt;" x="1.5">&lt;b&gt;&amp;<tspan>1 &lt; 2</tspan></text>'
    )


def test_hostile_words_in_sweep_json_are_escaped(copy, write):
    path = copy / "sweep.json"
    sweep = json.loads(path.read_text())
    path.write_text(json.dumps({**sweep, "image": "<script>alert(1)</script>", "versions": {"<b>": "</dd><b>"}}))
    _, page = write()
    assert "<script>alert(1)</script>" in page.one("section", id="sweep").text
    assert len(list(page.each("script"))) == 1


def test_in_a_bucket_the_page_is_served_as_a_page(gs_sweep):
    address = gs_sweep.environment["STORAGE_EMULATOR_HOST"]
    run = gs_sweep.said.log[-1]["leaderboard"]["run"]
    bucket, _, prefix = gs_sweep.url.removeprefix("gs://").partition("/")
    for name, kind in (("index.html", "text/html"), ("survival.svg", "image/svg+xml")):
        with urllib.request.urlopen(
            f"{address}/storage/v1/b/{bucket}/o/{quote(f'{prefix}/runs/{run}/report/{name}', safe='')}?alt=media"
        ) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
