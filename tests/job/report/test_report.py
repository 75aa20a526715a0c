"""The report: which command writes what, and each picture alone."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pages import parse
from programs import ENVIRONMENT

from job.report.pictures import PICTURES

README = (Path(__file__).parents[3] / "README.md").read_text()
KINDS = [picture.kind for picture in PICTURES]
OF_TRIALS = [picture.kind for picture in PICTURES if picture.of_trials]

# What is written, and by which command


def test_a_sweep_writes_its_report_and_says_where(finished):
    (line,) = [line["message"] for line in finished.said.log if "report" in line["message"]]
    assert line.endswith(f"runs/{finished.run.name}/report/index.html")
    names = {path.name for path in (finished.run / "report").iterdir() if not path.name.startswith(".")}
    assert names == {"index.html", "leaderboard.csv", *(f"{kind}.svg" for kind in KINDS)}


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
        "from job.runs.run import find_run\n"
        "print(write_report(find_run(sys.argv[1], '.')).board.verdict)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(copy)], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert "l1-n32 (1 hidden layer of 32 neurons) is fastest" in said.stdout, said.stderr


# Every picture, alone


def test_the_help_and_the_readme_list_every_picture(say):
    shown = say("plot", "--help").out
    for picture in PICTURES:
        assert re.search(rf"^  {picture.kind} +{picture.title}$", shown, re.MULTILINE)
        assert f"`{picture.kind}`" in README


ANOTHER_PICTURE = """
import sys
from job.report import pictures

def pie(report, trials):
    from job.report.svg.elements import Drawing, text
    return Drawing((text(0, 10, "a slice"),), 20, 20, "A pie", "One slice.", "pie", caption="It is eaten.")

pictures.PICTURES += (pictures.Picture("pie", "The pie", pie),)
from job.cli.main import main
main()
"""


def test_a_picture_needs_nothing_but_its_entry_in_the_list(copy, here):
    for words in (["report", str(copy)], ["plot", "pie", str(copy)], ["plot", "--help"]):
        said = subprocess.run(
            [sys.executable, "-c", ANOTHER_PICTURE, *words],
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            check=True,
        )
    assert re.search(r"^  pie +The pie$", said.stdout, re.MULTILINE)
    assert (here / "pie.svg").read_text() == (copy / "report" / "pie.svg").read_text()
    page = parse((copy / "report" / "index.html").read_text())
    section = page.one("section", id="pie")
    assert section.text == "The pie One slice. a slice It is eaten."
    assert [link.text for link in page.one("nav").each("a") if link["href"] == "#pie"] == ["The pie"]


@pytest.mark.parametrize("kind", KINDS)
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


@pytest.mark.parametrize("kind", OF_TRIALS)
def test_the_trials_that_are_named_are_drawn_and_no_others(copy, say, kind):
    said = say("plot", kind, copy, "--to", "-", "--trials", "l1-n2")
    assert said.code == 0
    assert "l1-n2" in said.out
    assert "l1-n32" not in said.out


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("plot", "pie", "RUN"), 2, "heatmap"),
        (("plot", "survival", "RUN", "--trials", "l9-n9"), 2, "--trials: 'l9-n9' has no result"),
        *(
            (("plot", kind, "RUN", "--trials", "l1-n8"), 2, f"--trials: '{kind}' shows the whole run")
            for kind in KINDS
            if kind not in OF_TRIALS
        ),
        (
            ("plot", "unsolved", "RUN", "--trials", "l1-n32"),
            1,
            "nothing to draw for 'unsolved': every start solved",
        ),
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
