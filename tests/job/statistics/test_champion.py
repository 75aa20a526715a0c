"""The champion: replaced only by what is better beyond the intervals, and never lost between two writers."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from programs import run_program

from job.errors import ConfigError, SweepError
from job.runs.layout import CHAMPION
from job.statistics.champion import Contender, challenge, read_champions, roll_back
from job.storage import open_storage


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path):
    if request.param == "folder":
        return open_storage(str(tmp_path / "out"))
    return open_storage(request.getfixturevalue("gs_url"))


def winner(run, low, median, high, epochs=1000, problem="xor"):
    return Contender(
        problem=problem,
        run=run,
        trial="l2-n8",
        model=f"runs/{run}/trials/l2-n8/a/model.keras",
        epochs=epochs,
        median=median,
        median_low=low,
        median_high=high,
        share_solved=1.0,
    )


def crown(storage, *runs):
    """Let winners challenge, each better than the one before; their models are in storage."""
    for place, run in enumerate(runs):
        low = 100 - 10 * place
        storage.create(winner(run, 1, 2, 3).model, b"a model")
        assert challenge(storage, winner(run, low, low + 1, low + 2)).action == "crowned"


def test_without_a_champion_the_first_winner_is_crowned(storage):
    assert read_champions(storage) is None
    decision = challenge(storage, winner("one", 40, 50, 60))
    assert (decision.action, decision.why) == ("crowned", "there was no champion")
    assert read_champions(storage).champion.run == "one"


@pytest.mark.parametrize(
    ("low", "median", "high", "crowned"),
    [
        (20, 30, 39, True),
        (20, 30, 40, False),  # the intervals touch
        (20, 39, 45, False),  # a lower median alone is not enough
        (50, 60, 70, False),
        (20, 30, None, False),
        (None, None, None, False),
    ],
)
def test_a_challenger_is_crowned_only_where_its_interval_lies_below_the_champions(
    storage, low, median, high, crowned
):
    challenge(storage, winner("one", 40, 50, 60))
    decision = challenge(storage, winner("two", low, median, high))
    assert decision.action == ("crowned" if crowned else "kept")
    assert "40 to 60" in decision.why
    assert read_champions(storage).champion.run == ("two" if crowned else "one")
    assert [past.contender.run for past in read_champions(storage).history] == ["one", "two"]


def test_a_champion_whose_median_lies_beyond_its_limit_loses_to_one_that_is_reached(storage):
    challenge(storage, winner("one", None, None, None, epochs=100))
    assert challenge(storage, winner("two", 80, 90, 100)).action == "crowned"


def test_a_champion_of_too_few_starts_for_an_interval_gives_way_to_one_that_has_one(storage):
    challenge(storage, winner("one", 1, 40, None))
    assert challenge(storage, winner("two", 1, 10, None)).action == "kept"
    decision = challenge(storage, winner("three", 60, 61, 62))
    assert decision.action == "crowned"
    assert "too few starts" in decision.why


def test_the_winner_at_another_problem_does_not_replace_the_champion(storage):
    crown(storage, "one")
    decision = challenge(storage, winner("two", 1, 2, 3, problem="parity:3"))
    assert decision.action == "kept"
    assert "it learned parity:3 and l2-n8 of one" in decision.why
    assert "give each problem its own output" in decision.why
    assert read_champions(storage).champion.run == "one"


def test_a_champion_of_the_time_before_there_were_other_problems_learned_xor(storage):
    crown(storage, "one")
    stored = json.loads(storage.read(CHAMPION))
    del stored["champion"]["problem"], stored["history"][0]["contender"]["problem"]
    _, version = storage.read_with_version(CHAMPION)
    storage.replace(CHAMPION, json.dumps(stored).encode(), version)
    assert challenge(storage, winner("two", 1, 2, 3)).action == "crowned"


def test_a_run_challenges_once_however_often_its_pod_is_started(storage):
    challenge(storage, winner("one", 40, 50, 60))
    first = challenge(storage, winner("two", 10, 11, 12))
    assert challenge(storage, winner("two", 10, 11, 12)) == first
    assert len(read_champions(storage).history) == 2


def test_a_rollback_makes_the_champion_before_champion_again_and_says_so(storage):
    crown(storage, "one", "two", "three")
    assert roll_back(storage).contender.run == "two"
    assert roll_back(storage).contender.run == "one"
    assert read_champions(storage).champion.run == "one"
    assert [past.action for past in read_champions(storage).history] == ["crowned"] * 3 + ["rolled back"] * 2
    with pytest.raises(ConfigError, match="no previous champion"):
        roll_back(storage)


def test_a_champion_whose_model_is_gone_does_not_become_champion_again(storage):
    challenge(storage, winner("gone", 200, 201, 202))
    crown(storage, "two")
    before = storage.read(CHAMPION)
    with pytest.raises(
        ConfigError, match=r"no longer has a model: runs/gone/trials/l2-n8/a/model\.keras is not in"
    ):
        roll_back(storage)
    assert storage.read(CHAMPION) == before


@pytest.mark.parametrize("command", ["show", "history", "rollback"])
def test_without_a_champion_there_is_none_to_show_or_to_roll_back(command, tmp_path):
    (tmp_path / "out").mkdir()
    said = run_program("champion", command, "--output", "out", cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.error == "there is no champion.json in out: no retraining has crowned a champion there yet"
    assert not list((tmp_path / "out").iterdir())


def test_of_a_folder_that_is_not_here_it_is_not_said_that_it_has_no_champion_yet(tmp_path):
    said = run_program("champion", "show", "--output", "/output", cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.error.startswith("there is no champion.json: there is no folder /output here; ")
    assert "--release" in said.error


def test_a_champion_that_was_rolled_back_can_be_beaten_anew(storage):
    crown(storage, "one", "two")
    roll_back(storage)
    assert challenge(storage, winner("three", 60, 61, 62)).action == "crowned"
    assert roll_back(storage).contender.run == "one"


def test_of_many_challengers_at_once_the_best_is_champion_and_the_history_is_whole(storage):
    challengers = [winner(f"run-{uuid.uuid4().hex[:6]}", 10 * n, 10 * n + 1, 10 * n + 2) for n in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda challenger: challenge(storage, challenger), challengers))
    champions = read_champions(storage)
    assert champions.champion == challengers[0]
    assert {past.contender.run for past in champions.history} == {challenger.run for challenger in challengers}
    assert len(champions.history) == 8


def test_a_damaged_champion_is_said_to_be_damaged_and_left_alone(storage):
    storage.create(CHAMPION, b'{"champion": 1}')
    with pytest.raises(SweepError, match=r"champion\.json is damaged: champion: Input should be"):
        challenge(storage, winner("one", 1, 2, 3))
    assert storage.read(CHAMPION) == b'{"champion": 1}'


def test_a_history_that_begins_with_a_rollback_has_no_champion_to_go_back_to(storage):
    challenge(storage, winner("one", 10, 11, 12))
    data, version = storage.read_with_version(CHAMPION)
    storage.replace(CHAMPION, data.replace(b'"crowned"', b'"rolled back"'), version)
    with pytest.raises(ConfigError, match="no previous champion"):
        roll_back(storage)
