"""The fixture that runs a test once per column."""

import pytest

from tests.conformance.columns import Column, columns


@pytest.fixture(params=columns(), ids=lambda column: column.name.replace(" ", "-"))
def column(request: pytest.FixtureRequest) -> Column:
    """Return one way to run models."""
    found: Column = request.param
    return found
