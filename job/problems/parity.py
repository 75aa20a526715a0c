"""Parity: whether an odd number of bits is 1. XOR is the parity of two bits."""

import itertools

from job.problems.base import Family, Problem

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def parity(bits: int) -> Problem:
    """Return the parity of this many bits, from 2 to 8: all 2^bits rows, the last bit changing fastest."""
    rows = tuple(itertools.product((0, 1), repeat=bits))
    is_xor = bits == 2
    return Problem(
        name="xor" if is_xor else f"parity:{bits}",
        title="XOR" if is_xor else f"the parity of {bits} bits",
        task="say whether two bits differ" if is_xor else f"say whether an odd number of its {bits} bits is 1",
        inputs=tuple(f"{ordinal} bit" for ordinal in _ORDINALS[:bits]),
        output="their xor" if is_xor else "their parity",
        rows=rows,
        answers=tuple(sum(row) % 2 for row in rows),
        row_names=tuple(" xor ".join(map(str, row)) for row in rows),
        plane=(-0.5, 1.5) if is_xor else None,
    )


def _make(name: str) -> Problem:
    return parity(2 if name == "xor" else int(name.removeprefix("parity:")))


FAMILY = Family(
    words="xor, parity:N (N from 2 to 8; parity:2 is xor)",
    pattern="xor|parity:[2-8]",
    examples=("xor", *(f"parity:{bits}" for bits in range(3, 9))),
    make=_make,
)
