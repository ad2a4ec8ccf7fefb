"""Tests run once per column."""

from zlib import crc32

import pytest

from tests.conformance.columns import CARD, columns

ONE_OF = 10
"""So many tests have one that runs in the column of cards; `--target cuda` runs all."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests once per column; which there are is known when the options are."""
    marks = metafunc.definition.iter_markers("parametrize")
    is_given = any("column" in mark.args[0] for mark in marks)
    if "column" in metafunc.fixturenames and not is_given:
        names = [column.name.replace(" ", "-") for column in columns()]
        metafunc.parametrize("column", columns(), ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out most tests in the column of cards."""
    left_out = [item for item in items if is_on_card(item) and not is_sampled(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        left = set(left_out)
        items[:] = [item for item in items if item not in left]


def is_on_card(item: pytest.Item) -> bool:
    """Tell whether a test runs in the column of cards beside the others."""
    given = getattr(item, "callspec", None)
    return given is not None and given.params.get("column") is CARD


def is_sampled(item: pytest.Item) -> bool:
    """Tell whether a test is one of the few, which are the same in every run."""
    return crc32(item.nodeid.encode()) % ONE_OF == 0
