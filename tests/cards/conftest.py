"""The hand-written model on an emulated card, and the one for processors beside it."""

from typing import Any

import pytest

from lxc.runtime import CompiledModel
from tests.cards.emulated import driver
from tests.cards.toy import Emulated, toy_on_card
from tests.runtime.conftest import make_toy as make_toy
from tests.runtime.conftest import toy as toy
from tests.runtime.conftest import toy_trees


@pytest.fixture
def card() -> Emulated:
    """Return the driver's numbers."""
    return Emulated(driver())


@pytest.fixture
def model(card: Emulated) -> CompiledModel:
    """Return the model, loaded anew."""
    return toy_on_card()


@pytest.fixture
def trees() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return params and state, all read-only."""
    return toy_trees()
