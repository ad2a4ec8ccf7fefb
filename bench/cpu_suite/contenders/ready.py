"""What a contender hands back when it has built a case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cpu_suite.case import Array


class NotWritten(Exception):
    """The contender has no version of this case."""


@dataclass(frozen=True)
class Ready:
    """A call to time, and the outputs that it leaves; `notes` are facts to report.

    `timed` makes so many calls itself and returns the seconds of one. `kept` is what the
    call reads and Python does not see that it does.
    """

    call: Callable[[], Any]
    outputs: Callable[[], list[Array]]
    notes: Mapping[str, Any] = field(default_factory=dict)
    timed: Callable[[int], float] | None = None
    kept: Any = None
