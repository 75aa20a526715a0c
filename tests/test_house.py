"""What holds for every file of the program."""

import ast
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
