"""The report: every number on the page is computed once more from the run's files, by plain Python."""

import csv
import hashlib
import itertools
import json
import math
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np
import pytest
from pages import corners, parse
from programs import ENVIRONMENT, damaged, run_program
from test_leaderboard import band, expected_rows, log_rank, numbers_of, read_rows, survival_curve

from job.config import SweepConfig
from job.grid import trials
from job.report import marks
from job.report.cli import PICTURES
from job.report.networks import ACTIVATIONS
from job.report.page import write_report
from job.report.plots import KINDS
from job.report.reading import Undone
from job.run import Run
from job.storage import open_storage

TRIALS = ("l1-n32", "l1-n8", "l1-n2")  # best first
LIMIT = 400


@pytest.fixture(scope="module")
def text(finished):
    return (finished.run / "report" / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return parse(text)


@pytest.fixture
def write(copy, say):
    """Write the report of the copied run again; return its parsed page, after what was said."""

    def call(code=0):
        said = say("report", copy)
        assert said.code == code, said.err
        return said, parse((copy / "report" / "index.html").read_text(encoding="utf-8"))

    return call


def attempt_of(run, trial):
    return run / "trials" / trial / json.loads((run / "trials" / trial / "result.json").read_text())["attempt"]


def summary_of(run, trial):
    return json.loads((run / "trials" / trial / "result.json").read_text())["summary"]


def rows_of(run, trial, name="replicates.csv"):
    with (attempt_of(run, trial) / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def epoch(value):
    return f">{LIMIT}" if value is None else str(value)


def median_words(numbers):
    return f"{epoch(numbers['median'])} ({epoch(numbers['median_low'])} to {epoch(numbers['median_high'])})"


def share_words(numbers):
    share, low, high = (100 * numbers[name] for name in ("share_solved", "share_low", "share_high"))
    return f"{share:.1f} % ({low:.1f} to {high:.1f})"


def p_words(p):
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def at(x):
    """Return the epoch that is drawn at x on an axis from 60 to 700."""
    return LIMIT ** ((x - 60) / 640)


# What is written, and by which command


def test_a_sweep_writes_its_report_and_says_where(finished):
    (line,) = [line["message"] for line in finished.said.log if "report" in line["message"]]
    assert line.endswith(f"runs/{finished.run.name}/report/index.html")
    names = {path.name for path in (finished.run / "report").iterdir() if not path.name.startswith(".")}
    assert names == {"index.html", "leaderboard.csv", *(f"{kind}.svg" for kind in PICTURES)}


def test_the_report_is_written_again_by_its_command_and_is_the_same(copy, write):
    before = (copy / "report" / "index.html").read_text()
    for path in (copy / "report").iterdir():
        path.unlink()
    said, _ = write()
    assert said.out == f"{copy}/report/index.html\n"
    # The folder has another name than it had when the sweep wrote the page.
    assert (copy / "report" / "index.html").read_text() == before


def test_the_page_needs_nothing_else_and_runs_no_script_but_its_own(text, page):
    for element in page.each():
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            target = element.attributes.get(name) or ""
            assert not re.match(r"(?i)\s*(https?:|//|javascript:|file:)", target), target
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(text.encode()) < 3_000_000


def test_the_report_is_written_without_tensorflow_or_keras(copy):
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'h5py', 'matplotlib'): sys.modules[name] = None\n"
        "from job.report.page import write_report\n"
        "from job.run import open_run\n"
        "print(write_report(open_run(sys.argv[1], '.')).board.verdict)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(copy)], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert "l1-n32 is fastest" in said.stdout, said.stderr


# The numbers


def test_the_verdict_is_that_of_the_leaderboard(finished, page):
    assert page.one("p", "verdict").text == finished.said.log[-1]["leaderboard"]["verdict"]


def test_the_tables_numbers_follow_from_the_rows(finished, page):
    section = page.one("section", id="leaderboard")
    heads = [head.text for head in section.one("thead").each("th")]
    shown = [
        [cell.text for cell in row.children if not isinstance(cell, str)] for row in section.one("tbody").each("tr")
    ]
    expected = []
    for row in expected_rows(finished.run):
        sign = {"winner": " ★", "not told apart": " ≈"}.get(row["standing"], "")
        expected.append(
            {
                "#": str(row["place"]),
                "trial": row["trial"] + sign,
                "layers": "1",
                "neurons": str(row["neurons"]),
                "weights": str(row["weights"]),
                "median (95 %)": median_words(row),
                "epochs": "",
                "10 % to 90 %": f"{epoch(row['q10'])} to {epoch(row['q90'])}",
                "solved (95 %)": share_words(row),
                "p": "" if row["p_adjusted"] is None else p_words(row["p_adjusted"]),
            }
        )
    assert [dict(zip(heads, cells, strict=True)) for cells in shown] == expected


def test_the_heat_maps_cells_tell_median_share_and_intervals(finished, page):
    cells = {cell["data-trial"]: cell for cell in page.one("figure", id="grid-figure").each("a", "cell")}
    assert set(cells) == set(TRIALS)
    for row in expected_rows(finished.run):
        cell = cells[row["trial"]]
        assert cell["data-tip"].split("\n") == [
            row["trial"],
            f"median {median_words(row)} epochs",
            f"middle 80 %: {epoch(row['q10'])} to {epoch(row['q90'])}",
            f"solved {share_words(row)}",
            f"16 starts, place {row['place']}",
        ]
        faces = {kind: cell.one("text", f"only-{kind}").text.lstrip("★≈ ") for kind in ("median", "solved")}
        assert faces == {"median": epoch(row["median"]), "solved": f"{row['share_solved']:.0%}".replace("%", " %")}
        assert cell["href"] == f"#trial-{row['trial']}"


def lightness(colour):
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_in_the_heat_map_better_is_brighter_also_in_grey(finished, page):
    numbers = {trial: numbers_of(read_rows(finished.run, trial)) for trial in TRIALS}
    cells = {cell["data-trial"]: cell for cell in page.each("a", "cell")}
    shares = sorted(TRIALS, key=lambda trial: numbers[trial]["share_solved"])
    shades = [lightness(cells[trial].one("rect", "only-solved")["fill"]) for trial in shares]
    assert shades == sorted(shades)
    assert shades[0] < shades[-1]
    medians = [trial for trial in TRIALS if numbers[trial]["median"]]
    shades = [lightness(cells[trial].one("rect", "only-median")["fill"]) for trial in medians]
    assert shades == sorted(shades, reverse=True)


@pytest.mark.parametrize("trial", TRIALS)
def test_the_survival_curve_and_its_band_are_drawn_where_the_rows_put_them(finished, page, trial):
    series = page.one("g", "series", **{"data-trial": trial})
    line = corners(series.one("path", "line")["d"])
    rows = read_rows(finished.run, trial)
    solved = sum(of for _, of in rows)
    low_and_high = {}
    for when, left, greenwood in survival_curve(rows):
        x = round(2 * (60 + 640 * math.log(when) / math.log(LIMIT))) / 2
        low_and_high[x] = (float(left), *band(left, greenwood, solved))

    def height(share):
        return round(2 * (350 - 324 * share)) / 2

    assert line[0] in ((60, 26), (60, height(low_and_high.get(60, (1,))[0])))
    for x, (left, low, high) in low_and_high.items():
        assert (x, height(left)) in line, f"{left} of {trial} at epoch {at(x):.0f}"
        edges = [y for x_, y in corners(series.one("path", "band")["d"]) if x_ == x]
        assert {height(low), height(high)} <= set(edges)
    assert line[-1][0] == 700
    assert line[-1][1] == height(1 - solved / len(rows))


def test_the_first_picks_are_shown_and_the_others_hidden(page):
    picked = {
        box["value"] for box in page.one("fieldset", id="picker").each("input") if "checked" in box.attributes
    }
    shown = {line["data-trial"] for line in page.each("g", "series") if "hidden" not in line.attributes}
    assert picked == shown
    assert TRIALS[0] in picked


@pytest.mark.parametrize("trial", TRIALS)
def test_single_starts_are_drawn_beside_the_quantiles_over_all(finished, page, trial):
    article = page.one("article", id=f"trial-{trial}")
    rows = rows_of(finished.run, trial)
    numbers = numbers_of(read_rows(finished.run, trial))
    dots = [dot.children[0].children[0] for dot in article.one("svg", "accuracy").each("circle", "dot")]
    assert sorted(dots) == sorted(
        f"start {at + 1} (seed {row['seed']}): solved in epoch {row['epochs_to_solve']}"
        for at, row in enumerate(rows[:8])
        if row["epochs_to_solve"]
    )
    first = rows[0]["epochs_to_solve"]
    words = article.one("figure", "beside").one("figcaption").text
    assert words.startswith(
        f"The first start solves XOR in epoch {first}. "
        if first
        else "The first start does not solve XOR within 400"
    )
    if numbers["median"]:
        assert f"one in ten does by epoch {numbers['q10']}, half do by {numbers['median']}" in words
    assert f"median {median_words(numbers)} epochs, {share_words(numbers)} of 16 starts solved" in article.text


@pytest.mark.parametrize("trial", TRIALS)
def test_the_accuracy_curves_follow_history_csv(finished, page, trial):
    picture = page.one("article", id=f"trial-{trial}").one("svg", "accuracy")
    history = rows_of(finished.run, trial, "history.csv")

    def place(row, column):
        x = round(2 * (60 + 580 * math.log(int(row["epoch"])) / math.log(LIMIT))) / 2
        return x, round(300 - 238 * float(row[column]), 2)

    median = corners(next(picture.each("path", "middle"))["d"])
    changes = [
        now for before, now in itertools.pairwise(history) if now["accuracy_median"] != before["accuracy_median"]
    ]
    for row in [history[0], *changes]:
        assert place(row, "accuracy_median") in median
    mean = corners(next(picture.each("path", "mean"))["d"])
    known = {place(row, "accuracy_mean") for row in history}
    assert set(mean) <= known
    assert {place(history[0], "accuracy_mean"), place(history[-1], "accuracy_mean")} <= set(mean)


def test_the_plane_and_the_answers_are_those_of_the_stored_model(finished, page):
    program = (
        "import json, sys, keras, numpy\n"
        "along = numpy.linspace(-0.5, 1.5, 41)\n"
        "points = [[x, y] for y in along for x in along]\n"
        "for path in sys.argv[1:]:\n"
        "    model = keras.models.load_model(path)\n"
        "    weights = [weight.tolist() for weight in model.get_weights()]\n"
        "    print(json.dumps([model.predict(numpy.array(points), verbose=0).ravel().tolist(), weights]))\n"
    )
    paths = [str(attempt_of(finished.run, trial) / "model.keras") for trial in TRIALS]
    shown = subprocess.run(
        [sys.executable, "-P", "-c", program, *paths],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    for trial, line in zip(TRIALS, shown.stdout.splitlines(), strict=True):
        outputs, weights = json.loads(line)
        stored = json.loads((attempt_of(finished.run, trial) / "networks.json").read_text())["chosen"]
        assert np.ravel(stored["plane"]) == pytest.approx(outputs, abs=6e-4)
        for kept, own in zip(stored["weights"], weights, strict=True):
            assert np.ravel(kept) == pytest.approx(np.ravel(own), abs=1e-5)
        article = page.one("article", id=f"trial-{trial}")
        answers = [item.text for item in article.one("figure", "large").each("li")]
        for (x, y), answer in zip(((0, 0), (0, 1), (1, 0), (1, 1)), answers, strict=True):
            words, _, said = answer.partition(": ")
            assert words == f"{x} xor {y}"
            assert float(said) == pytest.approx(outputs[(10 + 20 * y) * 41 + 10 + 20 * x], abs=0.006)
        seed = summary_of(finished.run, trial)["chosen_seed"]
        assert stored["seed"] == seed
        assert f"(seed {seed})" in article.text


def test_the_gallery_counts_every_start_that_never_solved_it(finished, page):
    gallery = [item.text for item in page.one("div", "gallery").each("figcaption")]
    counted = Counter()
    for words in gallery:
        trial, count, unsolved, seed = re.match(r"(\S+): (\d+) of (\d+) unsolved .* Seed (\d+)\.", words).groups()
        rows = rows_of(finished.run, trial)
        assert int(unsolved) == sum(not row["epochs_to_solve"] for row in rows)
        (row,) = [row for row in rows if row["seed"] == seed]
        assert not row["epochs_to_solve"]
        counted[trial] += int(count)
    expected = {trial: sum(not row["epochs_to_solve"] for row in rows_of(finished.run, trial)) for trial in TRIALS}
    assert all(counted[trial] <= expected[trial] for trial in TRIALS)
    assert set(counted) == {trial for trial in TRIALS if expected[trial]}
    rest = re.search(r"(\d+) starts? that ended in rarer ways", page.one("section", id="unsolved").text)
    assert sum(counted.values()) + int(rest[1] if rest else 0) == sum(expected.values())


def test_a_start_of_the_gallery_replayed_gives_the_same_wrong_answers(page, tmp_path):
    words = next(item.text for item in page.one("div", "gallery").each("figcaption") if "l1-n2" in item.text)
    seed = re.search(r"Seed (\d+)", words)[1]
    said = run_program("train", "--neurons", "2", "--epochs", "400", "--seed", seed, cwd=tmp_path)
    wrong = [line for line in said.log if "inputs" in line]
    expected = [
        f"{first} xor {second} = {int(line['prediction'] > 0.5)}"
        for line in wrong
        for first, second in [line["inputs"]]
        if int(line["prediction"] > 0.5) != first ^ second
    ]
    assert f"say {' and '.join(expected)}." in words


@pytest.mark.parametrize("trial", TRIALS)
def test_the_drawn_network_has_the_lines_of_its_weights(finished, page, trial):
    picture = page.one("article", id=f"trial-{trial}").one("svg", "network")
    kernels = [
        np.array(weight)
        for weight in json.loads((attempt_of(finished.run, trial) / "networks.json").read_text())["chosen"][
            "weights"
        ]
    ][::2]
    for sign, count in (
        ("positive", sum((kernel >= 0).sum() for kernel in kernels)),
        ("negative", sum((kernel < 0).sum() for kernel in kernels)),
    ):
        assert sum(path["d"].count("M") for path in picture.each("path", sign)) == count
    largest = max(np.abs(kernel).max() for kernel in kernels)
    strong = sum((np.abs(kernel) >= largest * 0.8).sum() for kernel in kernels)
    assert sum(path["d"].count("M") for path in picture.each("path", "w4")) == strong
    assert f"up to {largest:.2f};" in page.one("article", id=f"trial-{trial}").text


def test_the_times_are_those_of_the_results_and_add_up(finished, page):
    titles = [bar.children[0].children[0] for bar in page.one("svg", "times").each("rect") if bar.children]
    parts = {"start": "TensorFlow's start", "compile": "compilation", "train": "training"}
    total = 0
    for trial in TRIALS:
        summary = summary_of(finished.run, trial)
        total += sum(summary[f"{part}_seconds"] for part in (*parts, "other"))
        assert f"{trial}: compilation {summary['compile_seconds']:.1f} s" in titles
    assert any(summary_of(finished.run, trial)["start_seconds"] for trial in TRIALS)
    spent = re.search(r"3 trials took (?:(\d+) min )?([\d.]+) s in all", page.one("section", id="times").text)
    assert 60 * int(spent[1] or 0) + float(spent[2]) == pytest.approx(total, abs=0.51)


def test_the_chosen_network_is_that_after_the_last_epoch_and_its_replay_gives_it_again(finished, page):
    article = page.one("article", id="trial-l1-n8")
    summary = summary_of(finished.run, "l1-n8")
    rows = {int(row["seed"]): row for row in rows_of(finished.run, "l1-n8")}
    trained = int(rows[summary["chosen_seed"]]["epochs_trained"])
    assert (
        f"trained for {trained} epochs: it solved XOR in epoch {summary['chosen_epochs_to_solve']}" in article.text
    )
    assert f"The chosen network, after {trained} epochs, answers" in article.text
    words = next(code.text for code in article.each("code") if code.text.startswith("xor-sweep train")).split()
    replayed = run_program(*words[1:], "--log-format", "text", cwd=finished.folder)
    said = re.findall(r"([01] xor [01]) = [01]  \(([\d.]+)\)", replayed.out)
    assert len(said) == 4
    for row, answer in said:
        shown = re.search(rf"{row}: ([\d.]+)", article.text)[1]
        assert float(answer) == pytest.approx(float(shown), abs=0.0051)


def test_the_program_that_loads_the_model_runs_as_it_is_copied(finished, page):
    article = page.one("article", id="trial-l1-n32")
    program = "".join(article.one("pre").children)
    (link,) = [element["href"] for element in article.each("a") if element["href"].endswith("model.keras")]
    assert (finished.run / "report" / link).is_file()
    shown = subprocess.run(
        [sys.executable, "-c", program.replace("model.predict", "print(model.predict") + ".round().ravel())"],
        cwd=finished.run / "report",
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert "Warning" not in shown.stderr
    assert program.startswith("# in the folder of this page\n")
    assert shown.stdout.splitlines()[-1] == "[0. 1. 1. 0.]", shown.stderr


def test_the_tutorials_claim_is_held_against_the_rows(paneled_sweep):
    page = parse((paneled_sweep.run / "report" / "index.html").read_text())
    narrow, wide = (read_rows(paneled_sweep.run, f"l1-n{neurons}-relu") for neurons in (16, 32))
    z, p = log_rank(wide, narrow)
    said = page.one("p", "claim").text
    assert said.startswith("The tutorial's claim that 32 neurons are slower than 16 (1 hidden layer) ")
    how = "is neither confirmed nor refuted by this run" if p >= 0.05 else "does not hold" if z > 0 else "holds"
    assert how in said
    assert f"(p {'' if p < 0.001 else '= '}{p_words(p)})" in said


def test_without_the_tutorials_networks_nothing_is_said_of_its_claim(page):
    assert not list(page.each("p", "claim"))


def test_each_combination_of_further_axes_is_a_heat_map_and_they_are_columns_of_the_table(paneled_sweep):
    page = parse((paneled_sweep.run / "report" / "index.html").read_text())
    figure = page.one("figure", id="grid-figure")
    assert {head.text for head in figure.each("h3")} == {"relu", "tanh"}
    assert len(list(figure.each("a", "cell"))) == 8
    assert "activation" in [head.text for head in page.one("section", id="leaderboard").one("thead").each("th")]
    assert {svg.one("text", "name").text for svg in page.each("svg", "activation")} == {"relu", "tanh", "sigmoid"}


def test_the_activations_are_keras_own():
    points = np.linspace(-8, 8, 65)
    program = (
        "import json, sys, keras, numpy\n"
        "points = numpy.linspace(-8, 8, 65)\n"
        "print(json.dumps({name: [float(x) for x in getattr(keras.activations, name)(points.astype('float32'))]"
        " for name in sys.argv[1:]}))"
    )
    shown = subprocess.run(
        [sys.executable, "-P", "-c", program, *ACTIVATIONS],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=True,
    )
    for name, values in json.loads(shown.stdout).items():
        assert ACTIVATIONS[name](points) == pytest.approx(np.array(values), abs=1e-5), name


# Every picture, alone


def test_the_kinds_of_pictures_are_those_that_the_command_takes():
    assert tuple(KINDS) == PICTURES


@pytest.mark.parametrize("kind", PICTURES)
def test_each_picture_is_a_file_of_its_own_with_words_for_who_does_not_see_it(finished, copy, say, here, kind):
    said = say("plot", kind, copy)
    assert (said.code, said.out) == (0, f"{kind}.svg\n")
    drawn = (here / f"{kind}.svg").read_text()
    if kind != "times":
        assert drawn == (finished.run / "report" / f"{kind}.svg").read_text()
    root = ElementTree.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    assert len(root.get("aria-label")) > 40
    assert "prefers-color-scheme: dark" in drawn
    ids = re.findall(r'url\(|href="(?!data:)', drawn)
    assert not ids


def test_a_picture_goes_to_the_file_or_the_pipe_that_is_named(copy, say, here):
    assert say("plot", "survival", copy, "--to", "curves.svg", "--trials", "l1-n8").out == "curves.svg\n"
    piped = say("plot", "survival", copy, "--to", "-", "--trials", "l1-n8").out
    assert (here / "curves.svg").read_text() == piped
    assert "l1-n8" in piped
    assert "l1-n32" not in piped


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("plot", "pie", "RUN"), 2, "heatmap"),
        (("plot", "survival", "RUN", "--trials", "l9-n9"), 2, "l1-n32"),
        (("plot", "survival", "nowhere"), 2, "nowhere"),
        (("plot", "survival", "RUN", "--to", "no/such/folder.svg"), 2, "no/such/folder.svg"),
        (("report", "nowhere"), 2, "nowhere"),
        (("report",), 2, "RUN"),
    ],
)
def test_wrong_words_get_one_line_and_nothing_is_written(copy, say, here, words, code, expected):
    before = set(here.rglob("*"))
    said = say(*(str(copy) if word == "RUN" else word for word in words))
    assert said.code == code
    assert expected in said.error
    assert set(here.rglob("*")) == before


# What is not sound


def test_the_report_of_an_unfinished_run_says_what_is_missing(copy, write):
    shutil.rmtree(copy / "trials" / "l1-n8")
    _, page = write()
    assert "1 trial of 3 has no result: l1-n8" in page.one("p", "warning").text
    assert "1 of 3 trials has no result" in page.one("p", "verdict").text
    (row,) = list(page.one("section", id="undone").one("tbody").each("tr"))
    assert row.text.startswith("l1-n8")
    assert [cell["data-tip"] for cell in page.each("g", "cell")] == ["l1-n8\nno result yet"]


def test_the_report_of_a_run_without_any_result_is_a_page_that_says_so(copy, write):
    shutil.rmtree(copy / "trials")
    shutil.rmtree(copy / "report")
    _, page = write()
    assert "No trial has a result" in page.one("p", "verdict").text
    assert "3 trials of 3 have no result: l1-n2, l1-n8, l1-n32" in page.one("p", "warning").text
    names = {path.name for path in (copy / "report").iterdir() if not path.name.startswith(".")}
    assert names == {"index.html", "activations.svg"}


def test_a_run_that_no_trial_has_begun_has_a_page(tmp_path):
    """The driver's, where the Job failed before its first pod ran."""
    run = Run(open_storage(str(tmp_path)), SweepConfig(run="early"), "early")
    failed = [Undone(trial.name, "failed", "Unschedulable: no node") for trial in trials(run.config)]
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
    assert page.one("section", id="leaderboard").text.endswith(p_words(expected))  # of two trials, one pair


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
    result = json.loads((run / "trials" / trial / "result.json").read_text())
    for file in result["files"]:
        if file["name"] == "networks.json":
            file.update(size=path.stat().st_size, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    (run / "trials" / trial / "result.json").write_text(json.dumps(result))


WRONG_NETWORKS = {
    "weights of another network": lambda networks: networks["chosen"]["weights"].pop(),
    "a ragged kernel": lambda networks: networks["chosen"]["weights"][0][0].pop(),
    "a weight that is no number": lambda networks: networks["chosen"]["weights"][1].__setitem__(0, "<b>"),
    "a plane of another size": lambda networks: networks["chosen"]["plane"].pop(),
    "a curve that goes back": lambda networks: networks["first"][0].update(until=0),
    "no chosen network": lambda networks: networks.pop("chosen"),
}


def test_a_model_that_is_gone_is_named_and_the_page_does_not_offer_it(copy, write):
    (attempt_of(copy, "l1-n8") / "model.keras").unlink()
    said, page = write(code=1)
    assert said.error.endswith("/model.keras is gone")
    article = page.one("article", id="trial-l1-n8")
    assert "model.keras is gone" in article.one("p", "warning").text
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


def test_a_network_that_left_the_finite_numbers_or_is_too_large_to_draw_has_a_page(copy, write):
    def change(networks):
        networks["chosen"]["plane"] = [[None] * 41] * 41
        networks["chosen"]["weights"] = None

    change_networks(copy, "l1-n8", change)
    _, page = write()
    article = page.one("article", id="trial-l1-n8")
    assert "0 xor 0: not a number" in article.text
    assert "too many to draw" in article.text


def test_the_page_of_a_large_grid_says_what_it_leaves_out(copy, say):
    """Real results, under the names of a grid of 1,200 trials."""
    config = SweepConfig(
        layers=tuple(range(1, 21)),
        neurons=tuple(range(1, 31)),
        activation=("relu", "tanh"),
        replicates=16,
        epochs=LIMIT,
    )
    large = copy.parent / "large"
    sweep = json.loads((copy / "sweep.json").read_text())
    large.mkdir()
    (large / "sweep.json").write_text(
        json.dumps({**sweep, "config": config.model_dump(mode="json"), "config_hash": config.hash})
    )
    results = [json.loads((copy / "trials" / trial / "result.json").read_text()) for trial in TRIALS]
    for trial in trials(config):
        result = {**results[trial.index % 3], "config_hash": config.hash}
        folder = large / "trials" / trial.name
        folder.mkdir(parents=True)
        (folder / result["attempt"]).symlink_to(attempt_of(copy, result["trial"]))
        result["files"] = [file for file in result["files"] if file["name"] != "networks.json"]
        (folder / "result.json").write_text(json.dumps({**result, "trial": trial.name, "index": trial.index}))
    said = say("report", large)
    assert said.code == 0, said.err
    text = (large / "report" / "index.html").read_text()
    page = parse(text)
    assert len(text) < 3_000_000
    assert len(list(page.each("article"))) == len(list(page.each("g", "series"))) == 100
    assert "The best 100 of 1,200 trials are drawn one by one" in page.one("section", id="survival").text
    assert len(list(page.one("section", id="leaderboard").one("tbody").each("tr"))) == 1000
    assert "has 200 more trials" in page.one("section", id="leaderboard").text
    assert len(list(page.each(None, "cell"))) == 600
    assert (
        "1 combination of the other axes, without the best trials, is not drawn"
        in page.one("section", id="grid").text
    )
    names = {element["id"] for element in page.each() if "id" in element.attributes}
    targets = {link["href"] for link in page.each("a") if link["href"].startswith("#")}
    assert {target[1:] for target in targets} <= names
    assert len((large / "report" / "leaderboard.csv").read_text().splitlines()) == 1201


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
    assert "No trial says how long it took" in page.one("section", id="times").text
    assert not list(page.each("svg", "network"))


def test_a_trial_that_failed_is_shown_with_its_reason(diverged_sweep, say):
    (run,) = (diverged_sweep.folder / "runs").iterdir()
    for again in (False, True):
        if again:
            assert say("report", run).code == 0
        page = parse((run / "report" / "index.html").read_text())
        (row,) = list(page.one("section", id="undone").one("tbody").each("tr"))
        assert "failed" in row.text
        assert "left the finite numbers" in row.text
        assert page.one("p", "warning").text.startswith("1 trial of 2 failed: ")
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


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"failed": [3]}', b'{"failed": {"a": 1}}', b"\xff"])
def test_a_damaged_summary_of_the_driver_is_in_nobodys_way(copy, write, content):
    shutil.rmtree(copy / "trials" / "l1-n8")
    (copy / "report" / "summary.json").write_bytes(content)
    _, page = write()
    assert "l1-n8" in page.one("section", id="undone").text


def test_a_pictures_words_and_attributes_are_escaped():
    drawn = marks.tag("text", "<b>&", marks.tag("tspan", "1 < 2"), aria_label='"><script>', x=1.5)
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


def test_in_a_bucket_the_page_is_served_as_a_page(cloud_sweep):
    address = cloud_sweep.environment["STORAGE_EMULATOR_HOST"]
    run = cloud_sweep.said.log[-1]["leaderboard"]["run"]
    bucket, _, prefix = cloud_sweep.url.removeprefix("gs://").partition("/")
    for name, kind in (("index.html", "text/html"), ("survival.svg", "image/svg+xml")):
        with urllib.request.urlopen(
            f"{address}/storage/v1/b/{bucket}/o/{quote(f'{prefix}/runs/{run}/report/{name}', safe='')}?alt=media"
        ) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
