"""The table of codes and the tests know the same codes."""

import re
from pathlib import Path

from lxc.errors import CODES, EXIT_STATUS, LxcError, printable

TESTS = Path(__file__).parents[1]
CODE = re.compile(r"LXC-E[0-9]{4}")


def named_in_tests() -> set[str]:
    """Return every code that a test or a golden file names."""
    return {
        code
        for ending in ("py", "txt")
        for path in TESTS.rglob(f"*.{ending}")
        for code in CODE.findall(path.read_text("utf-8"))
    }


def test_every_code_is_named_by_a_test() -> None:
    assert set(CODES) - named_in_tests() == set()


def test_every_code_has_an_exit_status() -> None:
    assert {
        code for code in CODES if LxcError(code, "").exit_status not in range(2, 8)
    } == set()
    assert {code[5:7] for code in CODES} == set(EXIT_STATUS)


def test_what_an_error_quotes_cannot_command_a_terminal() -> None:
    error = LxcError("LXC-E0401", "a \x1b[2J b", actual="c\x9b2J\u202e\nd\té")
    assert str(error) == (
        "error[LXC-E0401]: a \\x1b[2J b\n  actual:   c\\x9b2J\\u202e\nd\té"
    )
    assert printable("plain\n\ttext é") == "plain\n\ttext é"
