"""What the networks learn: each file in this folder makes one family of problems, and is found automatically.

To add a problem, add a file with a `FAMILY`: nothing else in the program names a problem.
"""

import pkgutil
import re
from functools import cache
from importlib import import_module

from job.problems.base import THRESHOLD, Family, Problem

__all__ = ["DEFAULT", "THRESHOLD", "Family", "Problem", "families", "problem_of"]

DEFAULT = "xor"
"""The problem to learn if none is named."""


@cache
def families() -> tuple[Family, ...]:
    """Return the families of all files in this folder, the default problem's first."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")
    found = [import_module(f"{__name__}.{name}").FAMILY for name in names]
    return tuple(sorted(found, key=lambda family: re.fullmatch(family.pattern, DEFAULT) is None))


@cache
def problem_of(data: str) -> Problem:
    """Return the problem with a name such as `xor` or `parity:3`.

    Raises:
        ValueError: there is no problem with this name; the text lists the known ones.
    """
    for family in families():
        if re.fullmatch(family.pattern, data):
            return family.make(data)
    raise ValueError(f"no such problem; known problems: {', '.join(family.words for family in families())}")
