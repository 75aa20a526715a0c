"""The leaderboard's columns, and that the README explains each of them."""

from pathlib import Path

import pytest

from job.statistics.columns import COLUMNS

README = Path(__file__).parents[3] / "README.md"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.title)
def test_the_readme_explains_each_column(column):
    _, section = README.read_text().split("## How to read the leaderboard\n")
    assert f"\n| {column.title} | {column.meaning} |\n" in section.split("\n## ")[0]


def test_no_two_columns_have_the_same_title():
    assert len({column.title for column in COLUMNS}) == len(COLUMNS)
