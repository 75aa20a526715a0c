"""The leaderboard as data: JSON and CSV."""

import csv
import io
import json
from dataclasses import asdict, fields
from typing import Any

from job.runs.results import Outcome
from job.settings.axes import AXIS_NAMES
from job.statistics.leaderboard import Leaderboard


def _row_records(board: Leaderboard) -> list[dict[str, Any]]:
    """Return the rows as flat records for JSON and CSV; a number that the data do not reach is None."""
    return [
        {
            "place": row.place,
            "trial": row.trial,
            **{axis: getattr(row.architecture, axis) for axis in AXIS_NAMES},
            "weights": row.architecture.weights,
            **asdict(row.outcome),
            "standing": row.standing,
            "p_adjusted": row.p_adjusted,
        }
        for row in board.rows
    ]


def leaderboard_json(board: Leaderboard) -> str:
    """Return the leaderboard as JSON: `run`, `verdict`, `winner`, `not_told_apart`, `missing`, `trials`."""
    return json.dumps(leaderboard_record(board), indent=2)


def leaderboard_record(board: Leaderboard) -> dict[str, Any]:
    """Return what `leaderboard_json` writes."""
    ranking = board.ranking
    return {
        "run": board.run,
        "url": board.url,
        "epochs": board.epochs,
        "verdict": board.verdict,
        "winner": ranking.winner if ranking else None,
        "not_told_apart": list(ranking.not_told_apart) if ranking else [],
        "missing": list(board.missing),
        "trials": _row_records(board),
    }


def leaderboard_csv(board: Leaderboard) -> str:
    """Return the leaderboard as CSV, one trial per line; a number that the data do not reach is empty."""
    text = io.StringIO()
    numbers = [field.name for field in fields(Outcome)]
    columns = ["place", "trial", *AXIS_NAMES, "weights", *numbers, "standing", "p_adjusted"]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row_records(board))
    return text.getvalue()
