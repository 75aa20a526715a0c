"""A server that refuses."""

from contextlib import ExitStack

import pytest
import storages


@pytest.fixture
def answering():
    """Start a server that gives one answer to whatever it is asked; its URL."""
    with ExitStack() as servers:
        yield lambda status, body: servers.enter_context(storages.answering(status, body))
