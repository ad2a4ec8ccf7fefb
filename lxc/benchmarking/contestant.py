"""What is measured: a call, and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxc.runtime.checkpoint import Array


@dataclass(frozen=True)
class Contestant:
    """A call without arguments, and the outputs of the last one by name.

    `facts` say what it is, for `json`.
    """

    name: str
    call: Callable[[], Any]
    outputs: Callable[[], Mapping[str, Array]]
    facts: Mapping[str, Any]
