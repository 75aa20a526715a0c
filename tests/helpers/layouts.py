"""The files of a run that `xor-sweep results` has exported."""

FILES = {"result.json", "replicates.csv", "history.csv", "model.keras", "log.jsonl"}


PICTURES_OF_ROWS = {"heatmap", "heatmap-solved", "intervals", "survival", "accuracy", "activations"}
"""The pictures of these runs, which have no networks.json."""


def names_in(folder):
    """Return the names of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def layout(done, *more):
    """Return the names of the files of an exported run in which these trials are done."""
    report = {"index.html", "leaderboard.csv", *(f"pictures/{kind}.svg" for kind in PICTURES_OF_ROWS)}
    return {"sweep.json", *report, *more, *(f"{trial}/{name}" for trial in done for name in FILES)}
