"""A sweep that the command line has finished, for Python to open."""

from types import SimpleNamespace

import pytest
from programs import SMALL, run_program


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Three trials: the best of them is l1-n32, and hardly any start of the last, l1-n2, solves XOR."""
    folder = tmp_path_factory.mktemp("finished")
    said = run_program("sweep", *SMALL, "--output", "out", "--device", "cpu", cwd=folder)
    assert said.code == 0, said.err
    (run,) = (folder / "out" / "runs").iterdir()
    return SimpleNamespace(run=run)
