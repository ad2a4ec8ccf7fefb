"""A bound for the memory that a compiled model needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError


@dataclass(frozen=True)
class MemoryNeed:
    """The bytes that code for a target needs, with dimensions at their upper bounds."""

    target: str
    parameters: int
    prepared: int
    arena: int

    @property
    def total(self) -> int:
        """The bytes of a model with one call at a time."""
        return self.parameters + self.prepared + self.arena


def needs_in(memory: Mapping[str, Any]) -> list[MemoryNeed]:
    """Return what every target needs by the figures in a manifest that lxc just wrote."""
    return [
        MemoryNeed(name, memory["raw"], prepared, memory["arena"][name])
        for name, prepared in memory["prepared"].items()
    ]


def check_memory(needs: Sequence[MemoryNeed], most: int | None) -> None:
    """Refuse code that needs more than `most` bytes; None stands for any number."""
    over = [need for need in needs if most is not None and need.total > most]
    if over:
        worst = max(over, key=lambda need: need.total)
        raise LxcError(
            "LXC-E0602",
            f"the model needs more memory than it may for {worst.target}",
            expected=f"{most:,} bytes or less",
            actual=f"{worst.total:,} bytes: parameters {worst.parameters:,}, prepared "
            f"{worst.prepared:,}, arena of a call {worst.arena:,}",
            hint="the arena shrinks with the upper bounds of dimensions; so do parameters "
            "with a lower precision",
        )
