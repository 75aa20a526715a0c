"""The report of other problems than XOR, and of networks without a hidden layer."""

import csv
import json

import numpy as np
import pytest
from pages import parse
from programs import run_program
from run_files import attempt_of, result_of

from job.problems import problem_of

PARITY = problem_of("parity:3")
HIDDEN = [f"l1-n{neurons}-{activation}" for neurons in (4, 8) for activation in ("relu", "tanh")]


@pytest.fixture(scope="module")
def parity_page(parity_sweep):
    return parse((parity_sweep.run / "report" / "index.html").read_text())


@pytest.fixture(scope="module")
def linear_page(linear_sweep):
    return parse((linear_sweep.run / "report" / "index.html").read_text())


def answers_of(run, trial):
    return json.loads((attempt_of(run, trial) / "networks.json").read_text())["chosen"]["predictions"]


def table(element):
    """Return the words of a table's body, row by row."""
    rows = element.one("tbody").each("tr")
    return [[cell.text for cell in row.children if not isinstance(cell, str)] for row in rows]


def test_xor_is_named_nowhere_in_the_report_of_another_problem(parity_sweep, parity_page):
    main = parity_page.one("main")
    labels = [element.attributes.get("aria-label") or "" for element in main.each()]
    assert "XOR" not in " ".join([main.text, *labels])
    assert "its starts solve the parity of 3 bits" in main.text
    for picture in (parity_sweep.run / "report").glob("*.svg"):
        assert "XOR" not in picture.read_text()


def test_the_table_of_answers_says_what_the_chosen_network_answers_in_every_row(parity_sweep, parity_page):
    for trial in ["l0", *HIDDEN]:
        figure = parity_page.one("article", id=f"trial-{trial}").one("figure", "answers")
        predictions = answers_of(parity_sweep.run, trial)
        right = [(answer > 0.5) == bool(target) for answer, target in zip(predictions, PARITY.answers, strict=True)]
        shown = table(figure)
        assert [row[:2] for row in shown] == [
            [row, str(target)] for row, target in zip(PARITY.row_names, PARITY.answers, strict=True)
        ]
        assert [row[3] for row in shown] == ["" if is_right else "wrong" for is_right in right]
        assert [float(row[2]) for row in shown] == pytest.approx(predictions, abs=0.0051)
        assert f"answers {sum(right)} of 8 rows correctly." in figure.text


def test_a_table_of_the_chosen_networks_takes_the_place_of_the_planes(parity_sweep, parity_page):
    section = parity_page.one("section", id="boundaries")
    assert "A network with 3 inputs cannot be drawn as a plane" in section.text
    assert not list(parity_page.each("svg", "plane"))
    shown = {row[0]: row for row in table(section)}
    assert set(shown) == {"l0", *HIDDEN}
    for trial, row in shown.items():
        errors = np.abs(np.array(answers_of(parity_sweep.run, trial)) - PARITY.answers)
        worst = int(errors.argmax())
        assert row[1] == str(result_of(parity_sweep.run, trial)["summary"]["chosen_epochs_trained"])
        assert row[3:5] == [PARITY.row_names[worst], str(PARITY.answers[worst])]


def test_the_starts_that_never_solved_it_are_lines_that_name_their_wrong_answers(parity_sweep, parity_page):
    section = parity_page.one("section", id="unsolved")
    lines = [row for row in table(section) if row[0] == "l0"]
    groups = json.loads((attempt_of(parity_sweep.run, "l0") / "networks.json").read_text())["unsolved"]
    assert [row[1] for row in lines] == [f"{group['count']} of 12" for group in groups]
    for row, group in zip(lines, groups, strict=True):
        wrong = [
            f"{name} = {int(said)}"
            for name, target, said in zip(PARITY.row_names, PARITY.answers, group["predictions"], strict=True)
            if said != bool(target)
        ]
        expected = f"answer {' and '.join(wrong)}" if len(wrong) <= 4 else f"are wrong in {len(wrong)} of 8 rows"
        assert row[2:] == [expected, str(group["seed"])]


@pytest.mark.parametrize("kind", ["boundary", "unsolved"])
def test_a_picture_that_needs_a_plane_is_refused_with_the_reason(parity_sweep, say, kind):
    said = say("plot", kind, parity_sweep.run)
    assert said.code == 1
    assert f"nothing to draw for '{kind}': a network with 3 inputs cannot be drawn as a plane" in said.error
    assert not (parity_sweep.run / "report" / f"{kind}.svg").exists()


def test_of_many_rows_the_page_lists_the_answers_furthest_from_their_target(linear_sweep, linear_page):
    problem = problem_of("parity:8")
    errors = np.abs(np.array(answers_of(linear_sweep.run, "l0")) - problem.answers)
    figure = linear_page.one("article", id="trial-l0").one("figure", "answers")
    shown = table(figure)
    assert [row[0] for row in shown] == [problem.row_names[at] for at in np.argsort(-errors, kind="stable")[:32]]
    assert "These are the 32 answers furthest from their target." in figure.text


def test_a_network_without_a_hidden_layer_is_one_cell_that_spans_its_row_in_each_panel(parity_page):
    panels = list(parity_page.one("figure", id="grid-figure").each("div", "panel"))
    assert {panel.one("h3").text for panel in panels} == {"relu", "tanh"}
    for panel in panels:
        cells = {cell["data-trial"]: cell for cell in panel.each("a", "cell")}
        assert len(cells) == 3
        (left, wide), *others = [
            (float(rect["x"]), float(rect["width"]))
            for rect in (next(cells[name].each("rect")) for name in sorted(cells))
        ]
        assert left == min(x for x, _ in others)
        assert left + wide == max(x + width for x, width in others)
    assert "that trial is the same in every panel" in parity_page.one("section", id="grid").text


def test_a_grid_of_networks_without_a_hidden_layer_has_neither_neurons_nor_activations(linear_page):
    figure = linear_page.one("figure", id="grid-figure")
    assert [cell["data-trial"] for cell in figure.each("a", "cell")] == ["l0"]
    assert "neurons" not in figure.text
    assert [svg.one("text", "name").text for svg in linear_page.each("svg", "activation")] == ["sigmoid"]
    settings = [name.text for name in linear_page.one("section", id="sweep").each("dt")]
    assert settings[:3] == ["problem", "layers", "loss"]


def test_the_drawing_of_a_network_has_the_names_of_its_inputs_and_its_output(linear_page, parity_page):
    for page, names in (
        (linear_page, [*problem_of("parity:8").inputs, "their parity"]),
        (parity_page, [*PARITY.inputs, "their parity"]),
    ):
        picture = page.one("article", id="trial-l0").one("svg", "network")
        assert [words.text for words in picture.each("text")] == names


def test_the_command_under_a_trial_trains_its_chosen_network_again(parity_sweep, parity_page):
    for trial in ("l0", "l1-n8-tanh"):
        article = parity_page.one("article", id=f"trial-{trial}")
        words = next(code.text for code in article.each("code") if code.text.startswith("xor-sweep train")).split()
        assert ("--neurons" in words, "--activation" in words) == (trial != "l0", trial != "l0")
        said = run_program(*words[1:], cwd=parity_sweep.folder)
        predictions = [line["prediction"] for line in said.log if "inputs" in line]
        assert predictions == pytest.approx(answers_of(parity_sweep.run, trial), abs=1e-5)


def test_a_network_without_a_hidden_layer_has_a_dash_for_neurons_and_activation(parity_page):
    section = parity_page.one("section", id="leaderboard")
    heads = [head.text for head in section.one("thead").each("th")]
    (linear,) = (row for row in section.one("tbody").each("tr") if row.one("th").text.split()[0] == "l0")
    cells = dict(zip(heads, (cell for cell in linear.children if not isinstance(cell, str)), strict=True))
    assert cells["layers"].text == "0"
    for name in ("neurons", "activation"):
        assert (cells[name].text, cells[name]["data-sort"]) == ("–", "")  # noqa: RUF001


def test_the_leaderboard_of_the_page_and_of_the_file_has_every_trial(parity_sweep, parity_page):
    shown = [row[1].split()[0] for row in table(parity_page.one("section", id="leaderboard"))]
    with (parity_sweep.run / "report" / "leaderboard.csv").open() as file:
        assert shown == [row["trial"] for row in csv.DictReader(file)]
    assert set(shown) == {"l0", *HIDDEN}
