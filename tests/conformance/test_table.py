"""The list of rows and the tests belong together."""

import re

from tests.conformance.rows import FOLDER, rows

USED = re.compile(r"""row\(\s*"([A-Z]+-?\d+[a-i]?)\"""")


def rows_of_tests() -> set[str]:
    """Return the rows that marks of tests name."""
    texts = (path.read_text("utf-8") for path in FOLDER.glob("test_*.py"))
    return {name for text in texts for name in USED.findall(text)}


def test_every_row_has_a_test() -> None:
    assert [name for name in rows() if name not in rows_of_tests()] == []


def test_every_test_names_a_row_of_the_list() -> None:
    assert rows_of_tests() - set(rows()) == set()
