"""What holds for every file of the program."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("job", "k8s", "xor_sweep")
LONGEST = 50
"""The most lines of a function, without its signature and its docstring."""


def modules():
    """Every module of the program, by its path from here."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_no_function_is_longer_than_a_screen():
    long = []
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
                if node.end_lineno - first.lineno + 1 > LONGEST:
                    long.append(f"{path}: {node.name}")
    assert long == []


def names_defined_in(module):
    """The public names that a module defines at its top level."""
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
        parts = [part for target in targets for part in getattr(target, "elts", [target])]
        names = (getattr(part, "id", getattr(part, "name", "_")) for part in parts)
        yield from (name for name in names if not name.startswith("_"))


def test_a_name_means_one_thing_in_the_whole_program():
    places = defaultdict(set)
    for path, module in modules():
        for name in names_defined_in(module):
            places[name].add(path)
    # Each module of job/problems names its family FAMILY.
    several = {name: where for name, where in places.items() if len(where) > 1 and name != "FAMILY"}
    assert several == {}
