"""Faults of innermost loops that cost speed and that no test of results shows."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LABEL = re.compile(r"^(\.LBB\w+):")
FEW = 16
"""One vector may be put aside for so many operations: a function has many constants."""
FEW_WIDE = 12
"""One vector may be put aside for so many lines where some are on lanes of 64 bits.

Functions that need them keep two registers for every vector of float32, and constants of
twice the size. What is put aside is moved beside arithmetic that takes longer.
"""
IN_FLOAT64 = frozenset({"cos", "exp", "exp2", "fmod", "log", "log1p", "pow", "sin", "tan"})
"""Functions of float64 are those of the C library: their rounding is what is promised."""


@dataclass(frozen=True)
class Syntax:
    """How the lines that matter look in the assembly of an architecture.

    `jump` has the label in its only group. After what `leaves` the next line is not run.
    `saved` puts a whole vector on the stack at a fixed place. `wide` is on lanes of 64
    bits.
    """

    jump: re.Pattern[str]
    leaves: re.Pattern[str]
    arithmetic: re.Pattern[str]
    saved: re.Pattern[str]
    call: re.Pattern[str]
    wide: re.Pattern[str]


SYNTAX = {
    "x86_64": Syntax(
        jump=re.compile(r"^\s+j\w+\s+(\.LBB\w+)"),
        leaves=re.compile(r"^\s+(?:jmp\s+\.LBB|ret)"),
        arithmetic=re.compile(
            r"^\s+(?:v?f?n?m?(?:add|sub|mul|div|max|min|sqrt|madd)\w*p[sd]|[vt]dpbf16ps)\b"
        ),
        saved=re.compile(r"%[xyz]mm\d+, -?\d*\(%rsp\)"),
        call=re.compile(r"^\s+callq?\s+(\S+)"),
        wide=re.compile(
            r"^\s+v?(?:f?n?m?(?:add|sub|mul|div|madd)\w*pd|cvt\w*pd\w*|pmuludq)\b"
        ),
    ),
    "aarch64": Syntax(
        jump=re.compile(r"^\s+(?:b|b\.\w+|cbn?z|tbn?z)\s+(?:\S+,\s*)*(\.LBB\w+)"),
        leaves=re.compile(r"^\s+(?:b\s+\.LBB|ret)"),
        arithmetic=re.compile(r"^\s+f\w+\s+v\d+\.[24][sd]"),
        saved=re.compile(r"^\s+st[pru]+\s+q\d+,.*\[sp"),
        call=re.compile(r"^\s+blr?\s+(\S+)"),
        wide=re.compile(r"^\s+\w+\s+v\d+\.2d"),
    ),
}
"""By architecture: AT&T's form for x86-64, Arm's own for the other."""


@dataclass(frozen=True)
class HotLoop:
    """An innermost loop that computes on vectors of floats, as lines of assembly."""

    label: str
    lines: tuple[str, ...]
    syntax: Syntax

    @property
    def saved(self) -> tuple[str, ...]:
        """The lines that put vectors aside on the stack.

        What is only read from the stack is a constant of the loop, and an index says that
        it is an array there.
        """
        return tuple(line.strip() for line in self.lines if self.syntax.saved.search(line))

    @property
    def calls(self) -> tuple[str, ...]:
        """The lines that call functions."""
        return tuple(line.strip() for line in self.lines if self.syntax.call.match(line))

    @property
    def arithmetic(self) -> int:
        """The number of vector operations."""
        return sum(bool(self.syntax.arithmetic.match(line)) for line in self.lines)

    @property
    def most_saved(self) -> int:
        """How many vectors may be put aside."""
        if any(self.syntax.wide.match(line) for line in self.lines):
            written = [line for line in self.lines if not line.lstrip().startswith(".")]
            return max(len(written) // FEW_WIDE, self.arithmetic // FEW)
        return self.arithmetic // FEW


def faults(loop: HotLoop) -> list[str]:
    """Return what is wrong with a loop, as lines of text.

    It may put a few vectors aside, and call functions of float64 that are not lxc's own.
    """
    names = [(line, line.split()[-1].partition("@")[0]) for line in loop.calls]
    found = [f"{loop.label}: {line}" for line, name in names if name not in IN_FLOAT64]
    # No vector outlives a call in a register.
    if len(loop.saved) > loop.most_saved and (found or not loop.calls):
        found += [f"{loop.label}: {line}" for line in loop.saved]
    return found


def hot_loops(assembly: str, architecture: str = "x86_64") -> list[HotLoop]:
    """Return the innermost loops of the assembly of an architecture.

    A loop runs from a label to the last jump back to it. It is innermost if no other loop
    lies in it.
    """
    lines, syntax = assembly.splitlines(), SYNTAX[architecture]
    spans = loop_spans(lines, syntax)
    found = []
    for label, (start, end) in spans.items():
        inner = any(
            start <= first and last <= end and (first, last) != (start, end)
            for first, last in spans.values()
        )
        loop = HotLoop(label, tuple(lines[start : end + 1]), syntax)
        if not inner and loop.arithmetic:
            found.append(loop)
    return found


def loop_spans(lines: Sequence[str], syntax: Syntax) -> dict[str, tuple[int, int]]:
    """Return the first and the last line of every loop by its label."""
    found = ((number, LABEL.match(line)) for number, line in enumerate(lines))
    labels = {label.group(1): number for number, label in found if label}
    turns = turns_of(lines, labels, syntax)
    spans: dict[str, tuple[int, int]] = {}
    for place, turn in enumerate(turns):
        if turn.target < turn.number and leads_to(turns, turn.target, place):
            label = lines[turn.target].partition(":")[0]
            spans[label] = (turn.target, turn.number)
    return spans


@dataclass(frozen=True)
class Turn:
    """A line that may not be followed by the next one, and the line that it jumps to.

    What ends a function jumps to itself.
    """

    number: int
    target: int
    leaves: bool


def turns_of(lines: Sequence[str], labels: Mapping[str, int], syntax: Syntax) -> list[Turn]:
    """Return all jumps to known labels, and all ends."""
    found = []
    for number, line in enumerate(lines):
        jump, leaves = syntax.jump.match(line), bool(syntax.leaves.match(line))
        target = labels.get(jump.group(1), number) if jump else number
        if leaves or target != number:
            found.append(Turn(number, target, leaves))
    return found


def leads_to(turns: Sequence[Turn], start: int, end: int) -> bool:
    """Return whether the turn at place `end` may come some time after line `start`.

    What is hardly ever run lies behind the rest of a function and jumps back into it, which
    is no loop.
    """
    seen: set[int] = set()
    left = [start]
    while left:
        place = bisect_left(turns, left.pop(), key=lambda turn: turn.number)
        while place < len(turns) and place not in seen:
            if place == end:
                return True
            seen.add(place)
            left.append(turns[place].target)
            if turns[place].leaves:
                break
            place += 1
    return False
