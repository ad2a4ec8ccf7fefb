"""Faults of innermost loops that cost speed and that no test of results shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LABEL = re.compile(r"^(\.LBB\w+):")
JUMP = re.compile(r"^\s+j\w+\s+(\.LBB\w+)")
ARITHMETIC = re.compile(r"^\s+v?f?n?m?(?:add|sub|mul|div|max|min|sqrt|madd)\w*p[sd]\b")
SAVED = re.compile(r"%[xyz]mm\d+, -?\d*\(%rsp\)")
CALL = re.compile(r"^\s+callq?\s+(\S+)")


@dataclass(frozen=True)
class HotLoop:
    """An innermost loop that computes on vectors of floats, as lines of assembly."""

    label: str
    lines: tuple[str, ...]

    @property
    def saved(self) -> tuple[str, ...]:
        """The lines that put vectors aside on the stack.

        What is only read from the stack is a constant of the loop, and an index says that
        it is an array there.
        """
        return tuple(line.strip() for line in self.lines if SAVED.search(line))

    @property
    def calls(self) -> tuple[str, ...]:
        """The lines that call functions."""
        return tuple(line.strip() for line in self.lines if CALL.match(line))

    @property
    def arithmetic(self) -> int:
        """The number of vector operations."""
        return sum(bool(ARITHMETIC.match(line)) for line in self.lines)


def hot_loops(assembly: str) -> list[HotLoop]:
    """Return the innermost loops of x86-64 assembly in AT&T syntax.

    A loop runs from a label to the last jump back to it. It is innermost if no other loop
    lies in it.
    """
    lines = assembly.splitlines()
    spans = loop_spans(lines)
    found = []
    for label, (start, end) in spans.items():
        inner = any(
            start <= first and last <= end and (first, last) != (start, end)
            for first, last in spans.values()
        )
        loop = HotLoop(label, tuple(lines[start : end + 1]))
        if not inner and loop.arithmetic:
            found.append(loop)
    return found


def loop_spans(lines: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the first and the last line of every loop by its label."""
    labels: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(lines):
        if label := LABEL.match(line):
            labels[label.group(1)] = number
        jump = JUMP.match(line)
        if jump and jump.group(1) in labels:
            spans[jump.group(1)] = (labels[jump.group(1)], number)
    return spans
