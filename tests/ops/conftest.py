"""The fixture that runs a test on every back end."""

from typing import Any

import pytest

from tests.targets.backends import Backend, everything


@pytest.fixture(params=everything(), scope="module")
def target(request: pytest.FixtureRequest) -> Backend:
    backend: Any = request.param
    assert isinstance(backend, Backend)
    return backend
