"""The door for Python users: in a script, and in a notebook with a kernel of its own."""

import json
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from programs import ENVIRONMENT
from run_files import rows

import xor_sweep

CELLS = [
    "import xor_sweep\n"
    "run = xor_sweep.sweep(layers=1, neurons=range(8, 33, 24), replicates=16, epochs=400, device='cpu', workers=1)",
    "run",
    "run.leaderboard",
    "run.leaderboard.to_pandas()",
    "run.picture('survival')",
    "model = run.model('l1-n32')\ntype(model).__name__, model.count_params()",
    "xor_sweep.sweep(layers=-1)",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook that has run, and its folder."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=300)
    client.execute(cwd=str(folder), env=ENVIRONMENT)
    return notebook, folder


def shown(notebook, cell):
    """What a cell has shown, by MIME type."""
    (output,) = [output for output in notebook[0].cells[cell].outputs if output.output_type == "execute_result"]
    return output.data


def printed(notebook, cell):
    return "".join(output.text for output in notebook[0].cells[cell].outputs if output.output_type == "stream")


def test_a_sweep_tells_of_each_trial_and_writes_the_report_as_the_command_line_does(notebook):
    said = printed(notebook, 0).splitlines()
    assert "2 trials to train" in said[0]
    assert {line.partition(":")[0] for line in said[1:]} == {"l1-n8", "l1-n32"}
    (page,) = notebook[1].glob("runs/*/report/index.html")
    assert "l1-n32" in page.read_text()
    assert {path.stem for path in page.parent.glob("*.svg")} >= {"heatmap", "survival", "intervals"}


def test_a_run_says_where_it_is_how_much_is_done_and_its_verdict(notebook):
    (folder,) = notebook[1].glob("runs/*")
    text = shown(notebook, 1)["text/plain"]
    assert f"{folder.name}: 2 of 2 trials done" in text
    assert "l1-n32" in text.splitlines()[1]


def test_the_leaderboard_is_a_table_in_a_notebook_and_text_elsewhere(notebook):
    data = shown(notebook, 2)
    assert data["text/html"].count("<tr") == 3
    assert "★" in data["text/html"]
    assert data["text/plain"].startswith("Leaderboard of sweep-")


def test_the_leaderboard_as_a_dataframe_has_the_numbers_of_leaderboard_csv(notebook):
    (table,) = notebook[1].glob("runs/*/report/leaderboard.csv")
    expected = pd.read_csv(table, index_col="trial")
    (folder,) = notebook[1].glob("runs/*")
    frame = xor_sweep.open_run(folder).leaderboard.to_pandas()
    assert list(frame.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)
    assert "<table" in shown(notebook, 3)["text/html"]


def test_a_picture_is_shown_as_svg_and_can_be_saved(notebook, tmp_path):
    data = shown(notebook, 4)
    assert data["image/svg+xml"].startswith("<svg")
    assert "survival" in data["text/plain"]
    (folder,) = notebook[1].glob("runs/*")
    saved = xor_sweep.open_run(folder).picture("heatmap").save(tmp_path / "heatmap.svg")
    assert saved.read_text() == (folder / "report/heatmap.svg").read_text()


def test_the_model_is_plain_keras(notebook):
    assert shown(notebook, 5)["text/plain"] == "('Sequential', 129)"


def test_a_wrong_setting_is_one_line(notebook):
    (error,) = [output for output in notebook[0].cells[6].outputs if output.output_type == "error"]
    assert error.ename == "ConfigError"
    assert error.evalue.startswith("layers: -1 is not possible. Hidden layers: whole numbers from 0 to 100.")


def test_the_same_sweep_in_python_has_the_rows_of_the_command_line(finished, tmp_path):
    settings = json.loads((finished.run / "sweep.json").read_text())["config"]
    asked = {name: settings[name] for name in ("layers", "neurons", "replicates", "epochs", "seed")}
    run = xor_sweep.sweep(**asked, device="cpu", output=tmp_path, quiet=True)
    assert run.name == finished.run.name
    for row in run.leaderboard:
        assert rows(tmp_path / "runs" / run.name, row.trial) == rows(finished.run, row.trial)


def test_an_open_run_answers_as_its_files_do(finished):
    by_path = xor_sweep.open_run(finished.run)
    by_name = xor_sweep.open_run(finished.run.name, output=finished.run.parents[1])
    assert by_path.verdict == by_name.verdict
    assert [row.trial for row in by_path.leaderboard] == ["l1-n32", "l1-n8", "l1-n2"]
    assert by_path.leaderboard["l1-n8"].outcome.replicates == 16
    with pytest.raises(KeyError, match="those that have one: l1-n32, l1-n8 and l1-n2"):
        by_path.leaderboard["l9-n9"]
    answers = by_path.model("l1-n32").predict(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), verbose=0)
    assert (answers[:, 0] > 0.5).tolist() == [False, True, True, False]


def test_what_is_not_there_is_said_with_what_is(finished, tmp_path):
    run = xor_sweep.open_run(finished.run)
    with pytest.raises(xor_sweep.ConfigError, match=r"no picture 'pie'; the pictures are heatmap, .* and times"):
        run.picture("pie")
    with pytest.raises(xor_sweep.ConfigError, match="there is no run 'nothing'"):
        xor_sweep.open_run("nothing", tmp_path)


def test_the_import_is_light_and_needs_no_pandas():
    program = "import sys, xor_sweep; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "pandas", "kubernetes", "google"} & set(done.stdout.split())
