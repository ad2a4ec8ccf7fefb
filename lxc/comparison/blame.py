"""Errors that say which of two artifacts they are about."""

from collections.abc import Iterator
from contextlib import contextmanager

from lxc.errors import LxcError


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Name a file in the errors of what is done with it, unless they do so themselves."""
    try:
        yield
    except LxcError as problem:
        if problem.actual is None and name not in problem.summary:
            problem.actual = name
        raise
