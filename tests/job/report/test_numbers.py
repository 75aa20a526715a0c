"""The report: every number on the page is computed once more from the run's files, by plain Python."""

import dataclasses
import itertools
import json
import math
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from pages import corners, p_words, parse
from programs import ENVIRONMENT, run_program
from recomputed import band, expected_rows, log_rank, numbers_of, read_rows, survival_curve
from run_files import attempt_of, result_of, rows_of

from job.problems import problem_of
from job.report.answers import is_right, row_answers, wrong_words
from job.report.sentences import trial_words
from job.report.svg.activations import ACTIVATION_FUNCTIONS
from job.report.svg.boundary import draw_plane
from job.runs.snapshots import Network, Unsolved
from job.settings.grid import Architecture
from job.statistics.rows import WINNER, LeaderboardRow
from job.statistics.survival import EpochsToSolve, estimate_outcome

TRIALS = ("l1-n32", "l1-n8", "l1-n2")  # best first
LIMIT = 400
XOR = problem_of("xor")


def epoch(value):
    return f">{LIMIT}" if value is None else str(value)


def median_words(numbers):
    return f"{epoch(numbers['median'])} ({epoch(numbers['median_low'])} to {epoch(numbers['median_high'])})"


def share_words(numbers):
    share, low, high = (100 * numbers[name] for name in ("share_solved", "share_low", "share_high"))
    return f"{share:.1f}% ({low:.1f}% to {high:.1f}%)"


def at(x):
    """Return the epoch that is drawn at x on an axis from 60 to 700."""
    return LIMIT ** ((x - 60) / 640)


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
                "median (95%)": median_words(row),
                "epochs": "",
                "10% to 90%": f"{epoch(row['q10'])} to {epoch(row['q90'])}",
                "solved (95%)": share_words(row),
                "p against winner": "" if row["p_adjusted"] is None else p_words(row["p_adjusted"]),
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
            f"middle 80%: {epoch(row['q10'])} to {epoch(row['q90'])}",
            f"solved {share_words(row)}",
            f"16 starts, place {row['place']}",
        ]
        faces = {kind: cell.one("text", f"only-{kind}").text.lstrip("★≈ ") for kind in ("median", "solved")}
        assert faces == {"median": epoch(row["median"]), "solved": f"{row['share_solved']:.0%}"}
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
    parts = [f"half by {numbers['median']}"] if numbers["median"] else []
    parts += [f"nine in ten by {numbers['q90']}"] if numbers["q90"] else []
    unsolved = numbers["replicates"] - numbers["solved"]
    parts += [f"{unsolved} {'does' if unsolved == 1 else 'do'} not within 400"] if unsolved else []
    if numbers["q10"]:
        assert f"one in ten does by epoch {numbers['q10']}, " in words.replace(" and ", ", ")
        assert all(part in words for part in parts)
    assert f"median {median_words(numbers)} epochs, {share_words(numbers)} of 16 starts solved" in article.text


@pytest.mark.parametrize("trial", TRIALS)
def test_the_accuracy_curves_follow_history_csv(finished, page, trial):
    picture = page.one("article", id=f"trial-{trial}").one("svg", "accuracy")
    history = rows_of(finished.run, trial, "history.csv")

    def place(row, column):
        x = round(2 * (60 + 580 * math.log(int(row["epoch"])) / math.log(LIMIT))) / 2
        return x, round(320 - 238 * float(row[column]), 2)

    median = corners(next(picture.each("path", "middle"))["d"])
    changes = [
        now for before, now in itertools.pairwise(history) if now["accuracy_median"] != before["accuracy_median"]
    ]
    for row in [history[0], *changes]:
        assert place(row, "accuracy_median") in median
    mean = corners(next(picture.each("path", "mean"))["d"])
    assert all(first[0] == second[0] or first[1] == second[1] for first, second in itertools.pairwise(mean))
    for row in history:
        x, y = place(row, "accuracy_mean")
        # The line at this epoch: where it is upright, its lower and its upper end.
        drawn = [at[1] for at in mean if at[0] == x] or [[at[1] for at in mean if at[0] < x][-1]]
        assert min(drawn) - 238 * 0.01 <= y <= max(drawn) + 238 * 0.01


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
        seed = result_of(finished.run, trial)["summary"]["chosen_seed"]
        assert stored["seed"] == seed
        assert f"(seed {seed})" in article.text


def network(*predictions, plane=None):
    return Network(seed=1, predictions=list(predictions), plane=plane, weights=None)


def test_an_answer_near_one_half_is_told_from_it():
    near = network(0.4997, 0.50004, 0.5000012, 0.1)
    said = [f"{answer.row}: {answer.words}" for answer in row_answers(XOR, near)]
    assert said == ["0 xor 0: 0.4997", "0 xor 1: 0.500040", "1 xor 0: 0.500001", "1 xor 1: 0.10"]
    assert is_right(XOR, near)
    assert not is_right(XOR, network(0.4997, 0.49999, 0.9, 0.1))
    assert not is_right(XOR, network(0.1, None, 0.9, 0.1))


OR = dataclasses.replace(
    XOR, name="or", title="OR", answers=(0, 1, 1, 1), row_names=("0 or 0", "0 or 1", "1 or 0", "1 or 1")
)


def test_what_is_right_is_the_problems_to_say():
    perfect = network(0.1, 0.9, 0.9, 0.9)
    assert is_right(OR, perfect)
    assert not is_right(XOR, perfect)
    assert [answer.right for answer in row_answers(OR, network(0.1, 0.9, 0.2, None))] == [True, True, False, False]
    group = Unsolved(predictions=[True, True, True, False], count=2, seed=1, plane=None)
    assert wrong_words(OR, group) == "answer 0 or 0 = 1 and 1 or 1 = 0"
    drawing = draw_plane(OR, [[0.5] * 41] * 41, "OR", "")
    assert re.findall(r">([01])</text>", drawing.element()) == ["0", "1", "1", "1"]


def test_a_trial_of_one_start_is_not_said_to_have_starts():
    one = estimate_outcome(EpochsToSolve(np.array([5]), np.array([True])))
    row = LeaderboardRow(1, "l1-n2", Architecture(1, 2), one, WINNER, None)
    assert trial_words(row, LIMIT).endswith("of 1 start solved")


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
    rest = re.search(r"(\d+) more starts? (?:is|are) not shown", page.one("section", id="unsolved").text)
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
    assert f"answer {' and '.join(expected)}." in words


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
        summary = result_of(finished.run, trial)["summary"]
        total += sum(summary[f"{part}_seconds"] for part in (*parts, "other"))
        assert f"{trial}: compilation {summary['compile_seconds']:.1f} s" in titles
    assert any(result_of(finished.run, trial)["summary"]["start_seconds"] for trial in TRIALS)
    spent = re.search(r"3 trials took (?:(\d+) min )?([\d.]+) s in all", page.one("section", id="times").text)
    assert 60 * int(spent[1] or 0) + float(spent[2]) == pytest.approx(total, abs=0.51)


def test_the_chosen_network_is_that_after_the_last_epoch_and_its_replay_gives_it_again(finished, page):
    article = page.one("article", id="trial-l1-n8")
    summary = result_of(finished.run, "l1-n8")["summary"]
    rows = {int(row["seed"]): row for row in rows_of(finished.run, "l1-n8")}
    trained = int(rows[summary["chosen_seed"]]["epochs_trained"])
    assert (
        f"trained for {trained} epochs and solved XOR in epoch {summary['chosen_epochs_to_solve']}." in article.text
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
    assert f"({'p < 0.001' if p < 0.001 else f'p = {p:.3f}'})" in said


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
        [sys.executable, "-P", "-c", program, *ACTIVATION_FUNCTIONS],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=True,
    )
    for name, values in json.loads(shown.stdout).items():
        assert ACTIVATION_FUNCTIONS[name](points) == pytest.approx(np.array(values), abs=1e-5), name
