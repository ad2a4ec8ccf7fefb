"""The fixture that runs a test on every back end."""

import pytest

from tests.targets.backends import Backend, everything


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the back ends when tests are collected: options are not read before that."""
    if "back_end" in metafunc.fixturenames:
        metafunc.parametrize("back_end", everything(), scope="module")


@pytest.fixture(scope="module")
def target(back_end: Backend) -> Backend:
    return back_end
