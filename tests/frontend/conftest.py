"""Both ways to run a layer."""

import pytest

from tests.frontend.modes import Mode


@pytest.fixture(params=["eager", "traced"])
def run(request: pytest.FixtureRequest) -> Mode:
    """Run layers on arrays, then through a traced graph and its text."""
    return Mode(request.param == "traced")
