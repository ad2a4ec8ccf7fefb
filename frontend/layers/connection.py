"""Functions that join the outputs of several layers into one."""

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layers.basic import accepts, check_instance
from lxc.ir import functions as ops

Connection = Callable[..., Any]

FOLDED: tuple[Connection, ...] = (
    np.add,
    np.multiply,
    np.maximum,
    np.minimum,
    operator.add,
    operator.mul,
    ops.add,
    ops.multiply,
    ops.maximum,
    ops.minimum,
)
"""Binary functions that join any number of values, from the left, as Julia's do."""


def folds(connection: Connection) -> bool:
    """Return whether a connection of two arguments stands for one of any number."""
    # Compared by identity: any callable is allowed, also one that has no hash.
    return any(connection is function for function in FOLDED)


def join(connection: Connection, values: Sequence[Any]) -> Any:
    """Return what a connection makes of values; it is called once unless it folds."""
    if folds(connection):
        return functools.reduce(connection, values)
    return connection(*values)


def check_connection(connection: Connection, count: int) -> None:
    """Refuse what is no function of `count` arguments, as far as it says."""
    check_instance(connection)
    if not callable(connection):
        raise LxcError(
            "LXC-E0101",
            "a connection is a function or a layer",
            expected=f"a function of {count} arguments",
            actual=f"connection: {connection!r}",
        )
    if not folds(connection) and not takes(connection, count):
        name = getattr(connection, "__name__", repr(connection))
        raise LxcError(
            "LXC-E0101",
            "the connection does not take as many values as it is to join",
            expected=f"a function of {count} arguments",
            actual=f"connection: {name}",
        )


def takes(connection: Connection, count: int) -> bool:
    """Return whether a function can be called with `count` values."""
    if isinstance(connection, np.ufunc):
        # One more argument would be an array to write into.
        return connection.nin == count
    try:
        return accepts(inspect.signature(connection), count)
    except (TypeError, ValueError):
        # Builtins without a signature may take any number.
        return True
