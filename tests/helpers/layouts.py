"""What `xor-sweep results` makes of a run."""

FILES = {"result.json", "replicates.csv", "history.csv", "model.keras", "log.jsonl"}


PICTURES_OF_ROWS = {"heatmap", "heatmap-solved", "intervals", "survival", "accuracy", "activations"}
"""What can be drawn of these runs: they have no networks.json."""


def names_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def layout(done, *more):
    report = {"index.html", "leaderboard.csv", *(f"pictures/{kind}.svg" for kind in PICTURES_OF_ROWS)}
    return {"sweep.json", *report, *more, *(f"{trial}/{name}" for trial in done for name in FILES)}
