"""What the end-to-end tests talk to: a container engine, an image built before, and (elsewhere) a cluster."""

import os
import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def docker():
    """The `docker` on the path, if it answers."""
    program = shutil.which("docker")
    if not program or subprocess.run([program, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no `docker` that answers: these tests run containers")
    return program


@pytest.fixture(scope="session")
def image():
    """The image's name, as `docker` and the cluster know it."""
    name = os.environ.get("XOR_SWEEP_IMAGE")
    if not name:
        pytest.skip("XOR_SWEEP_IMAGE is not set: these tests need the name of an image that was built before")
    return name
