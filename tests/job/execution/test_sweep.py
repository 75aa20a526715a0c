"""A whole sweep on one machine: what it says, what it leaves, and what it does not do again."""

import json

from jobs import winner
from programs import SMALL, SMALLER, run_on_a_terminal
from run_files import attempt_of, changes, content, rows

from job.statistics.champion import challenge
from job.storage import open_storage


def test_each_line_of_the_log_is_a_json_object_and_standard_error_is_empty(finished, single_trial):
    for said in (finished.said, single_trial.said, single_trial.again):
        assert (said.code, said.err) == (0, "")
        assert said.log
        for line in said.log:
            assert line["severity"] in {"INFO", "WARNING", "ERROR"}
            assert line["message"]
            assert line["time"].endswith("Z")


def test_the_lines_of_a_trial_name_it_and_tell_its_accuracy_and_last_its_result(finished):
    for trial in ("l1-n2", "l1-n8", "l1-n32"):
        lines = [line for line in finished.said.log if line.get("trial") == trial]
        assert all(line["message"].startswith(f"{trial}: ") for line in lines)
        reports = [line for line in lines if "epoch" in line]
        epochs = [line["epoch"] for line in reports]
        assert epochs == sorted(set(epochs))
        assert epochs[:4] == [1, 2, 5, 10]
        assert all(0 <= line["accuracy"] <= 1 for line in reports)
        assert [line["solved"] for line in reports] == sorted(line["solved"] for line in reports)
        stored = json.loads((finished.run / "trials" / trial / "result.json").read_text())
        assert lines[-1]["result"] == stored["summary"]
        assert not any("result" in line for line in lines[:-1])


def test_the_last_line_of_a_sweep_is_its_leaderboard_with_the_verdict(finished, say):
    last = finished.said.log[-1]
    shown = json.loads(say("leaderboard", finished.run, "--format", "json").out)
    assert {**last["leaderboard"], "url": ""} == {**shown, "url": ""}
    assert last["message"] == shown["verdict"]


def test_the_same_sweep_again_trains_nothing_says_so_and_changes_no_file(copy, here, say):
    before = content(here)
    said = say("sweep", *SMALL, "--output", "out")
    assert (said.code, said.err) == (0, "")
    assert any("all 3 trials have results: nothing to train" in line["message"] for line in said.log)
    assert not any("trial" in line for line in said.log)
    assert said.log[-1]["leaderboard"]["run"] == copy.name
    assert changes(before, content(here)) == {}


def test_what_is_damaged_is_not_called_a_result_and_what_brings_it_back_is_said(copy, say):
    (copy / "trials" / "l1-n8" / "result.json").write_text("{")
    said = say("sweep", *SMALL, "--output", "out")
    assert said.code == 1
    assert said.error.endswith("; to train it again, remove trials/l1-n8/result.json and run the sweep again")
    words = "2 of 3 trials have results, 1 is damaged: nothing to train"
    assert any(line["message"].endswith(words) for line in said.log)
    assert "all 3 trials" not in said.out
    assert said.log[-1]["leaderboard"]["winner"] == "l1-n32"


def test_what_tensorboard_cannot_show_costs_neither_the_report_nor_the_leaderboard(copy, say):
    for trial in ("l1-n2", "l1-n8"):
        (copy / "trials" / trial / "events.out.tfevents").unlink()
        (attempt_of(copy, trial) / "tensorboard.tfrecord").unlink()
    (attempt_of(copy, "l1-n8") / "replicates.csv").unlink()
    (copy / "report" / "index.html").unlink()
    said = say("sweep", *SMALL, "--output", "out")
    assert said.code == 1
    assert [row["trial"] for row in said.log[-1]["leaderboard"]["trials"]] == ["l1-n32", "l1-n2"]
    assert (copy / "report" / "index.html").exists()
    assert f"{attempt_of(copy, 'l1-n8').name}/replicates.csv is gone" in said.error
    assert f"{attempt_of(copy, 'l1-n2').name}/tensorboard.tfrecord is gone" in said.error
    assert said.error.count("is gone") == 2  # Of l1-n8 it is said once that its files are.
    assert say("leaderboard", copy).code == 1


def test_a_bar_that_nobody_would_see_gives_way_to_lines(copy, tmp_path):  # noqa: ARG001
    with (tmp_path / "err").open("w") as stderr:
        code, shown = run_on_a_terminal("sweep", *SMALL, "--output", "out", cwd=tmp_path / "here", stderr=stderr)
    assert code == 0
    assert "trials to train: 0, already done: 3" in shown
    assert (tmp_path / "err").read_text() == ""


def test_a_sweep_that_asks_for_the_same_rows_in_another_way_is_the_same_sweep(copy, here, say):
    before = content(here)
    said = say(
        "sweep", *SMALL, "--output", "out", "--workers", "7", "--device", "cpu", "--loss", "mean_squared_error"
    )
    assert said.code == 0
    assert changes(before, content(here)) == {}
    assert [path.name for path in (here / "out" / "runs").iterdir()] == [copy.name]


def test_a_trial_alone_gives_the_rows_that_it_has_within_the_sweep(finished, single_trial):
    assert single_trial.run.name == finished.run.name
    assert [path.name for path in (single_trial.run / "trials").iterdir()] == ["l1-n8"]
    assert rows(single_trial.run, "l1-n8") == rows(finished.run, "l1-n8")
    (alone,) = single_trial.run.glob("trials/l1-n8/*/history.csv")
    (within,) = finished.run.glob("trials/l1-n8/*/history.csv")
    assert alone.read_bytes() == within.read_bytes()


def test_a_trial_that_is_done_is_not_trained_again(single_trial):
    assert single_trial.again.code == 0
    last = single_trial.again.log[-1]
    assert last["trial"] == "l1-n8"
    assert "already" in last["message"]
    assert last["result"] == single_trial.said.log[-1]["result"]
    assert not any("epoch" in line for line in single_trial.again.log)
    assert single_trial.after == single_trial.before


def test_two_sweeps_at_once_into_one_folder_give_one_result_per_trial(two_sweeps, finished):
    first, second = two_sweeps.said
    assert (first.code, first.err, second.code, second.err) == (0, "", 0, "")
    assert first.log[-1]["leaderboard"] == second.log[-1]["leaderboard"]
    names = [path.parent.name for path in two_sweeps.run.glob("trials/*/result.json")]
    assert sorted(names) == ["l1-n32", "l1-n8"]
    assert [row["trial"] for row in first.log[-1]["leaderboard"]["trials"]] == ["l1-n32", "l1-n8"]
    for name in names:
        assert rows(two_sweeps.run, name) == rows(finished.run, name)
    assert not list(two_sweeps.run.rglob("*.tmp"))


def test_a_trial_that_diverges_ends_with_code_3_and_the_reason(diverged_trial):
    said = diverged_trial.said
    assert said.code == 3
    assert "finite" in said.error
    assert "smaller learning rate than 1000" in said.error
    (stored,) = diverged_trial.folder.glob("runs/*/trials/*/*/log.jsonl")
    assert [json.loads(line) for line in stored.read_text().splitlines()][-1]["exit_code"] == 3
    assert not list(diverged_trial.folder.rglob("result.json"))


def test_where_one_trial_diverges_the_others_go_on_and_the_code_is_3(diverged_sweep):
    said = diverged_sweep.said
    assert said.code == 3
    assert "Traceback" not in said.err
    failure = next(line for line in said.log if line["severity"] == "ERROR")
    assert failure["trial"] == "l2-n8-lr1000"
    assert "finite" in failure["message"]
    assert "smaller learning rate than 1000" in failure["message"]
    assert failure["exit_code"] == 3
    (result,) = diverged_sweep.folder.rglob("result.json")
    assert result.parent.name == "l2-n8-lr0.01"
    board = said.log[-1]["leaderboard"]
    assert [row["trial"] for row in board["trials"]] == ["l2-n8-lr0.01"]
    assert board["missing"] == ["l2-n8-lr1000"]


def test_a_trial_that_diverges_is_logged_as_an_error_once(diverged_sweep):
    assert len([line for line in diverged_sweep.said.log if line["severity"] == "ERROR"]) == 1


def test_the_verdict_tells_of_a_trial_without_result_also_where_no_other_solved(diverged_sweep):
    board = diverged_sweep.said.log[-1]["leaderboard"]
    assert board["winner"] is None
    assert "1 of 2 trials has no result" in board["verdict"]


def test_on_a_terminal_there_is_a_progress_bar_and_then_the_table_with_the_verdict(terminal_sweep):
    code, shown = terminal_sweep
    assert code == 0
    bar, _, table = shown.partition("Leaderboard of ")
    assert "0/2" in bar
    assert "1/2" in bar
    assert "starting TensorFlow" in bar
    assert "replicate-epochs/s" in bar
    assert "{" not in shown
    assert table.index("l1-n32") < table.index("l1-n8")
    assert "★" in table
    assert "l1-n32 (1 hidden layer of 32 neurons) is fastest: half of its starts solve XOR by epoch " in table
    for noise in ("oneDNN", "WARNING", "cuda", "Traceback"):
        assert noise not in shown


def test_a_sweep_into_a_bucket_leaves_no_local_file(cloud_sweep):
    said = cloud_sweep.said
    assert (said.code, said.err) == (0, "")
    assert said.log[0]["url"].startswith(f"{cloud_sweep.url}/runs/")
    assert list(cloud_sweep.folder.iterdir()) == []


def test_a_sweep_in_a_bucket_is_found_again_and_its_leaderboard_is_that_of_a_folder(cloud_sweep, finished, say):
    url, environment = cloud_sweep.url, cloud_sweep.environment
    again = say("sweep", *SMALLER, "--output", url, **environment)
    assert again.code == 0
    assert any("nothing to train" in line["message"] for line in again.log)
    board = again.log[-1]["leaderboard"]
    assert board == cloud_sweep.said.log[-1]["leaderboard"]
    by_url = say("leaderboard", f"{url}/runs/{board['run']}", "--format", "json", **environment)
    by_name = say("leaderboard", board["run"], "--output", url, "--format", "json", **environment)
    assert (by_url.code, by_url.err) == (0, "")
    assert json.loads(by_url.out) == json.loads(by_name.out) == board
    local = {row["trial"]: row for row in finished.said.log[-1]["leaderboard"]["trials"]}
    assert [row["trial"] for row in board["trials"]] == ["l1-n32", "l1-n8"]
    for row in board["trials"]:
        # Of fewer trials there are fewer pairs to correct for.
        assert {**row, "p_adjusted": 0} == {**local[row["trial"]], "p_adjusted": 0}


def test_every_command_that_reads_a_run_reads_one_in_a_bucket(cloud_sweep, say, here, monkeypatch):
    url, environment = cloud_sweep.url, cloud_sweep.environment
    run = f"{url}/runs/{cloud_sweep.said.log[-1]['leaderboard']['run']}"
    assert say("report", run, **environment).code == 0
    assert say("plot", "survival", run, "--to", "-", **environment).out.startswith("<svg")
    assert say("champion", "show", "--output", url, **environment).error.startswith("there is no champion.json in")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    storage = open_storage(url)
    challenge(storage, winner("a-run", 10))
    assert "a-run" in say("champion", "show", "--output", url).out
    page = f"{run}/report/index.html".removeprefix(f"{url}/")
    fetch = storage.fetch_command("").split("//")[0]  # as "gcloud storage cp gs:"
    assert f"# first, in a shell: {fetch}//results/" in storage.read(page).decode()
    assert list(here.iterdir()) == []
