"""What happened when arrays were put into a tree, for people and for programs."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxc.errors import LxcError

MOST_SHOWN = 50
"""The most names of one kind that a report prints and looks for similar names of."""

RENAME_HINT = 'give rename={"our.path": "their.path"} if they go by other names'


@dataclass(frozen=True)
class Unmatched:
    """A name without a partner, and the most similar names among those without one."""

    name: str
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """An array that is not as the model has it; both types as text, `float32[10, 128]`."""

    name: str
    expected: str
    actual: str


@dataclass(frozen=True)
class LoadReport:
    """How arrays fitted a tree.

    `loaded` leaves of the tree got an array. `missing` ones were not there, under the name
    that was looked for; `unexpected` are names that no leaf has. `misshaped` arrays fit
    neither as they are nor converted. `cast` ones were converted to another float type, and
    `squeezed` ones lost axes of size 1.
    """

    loaded: int = 0
    missing: tuple[Unmatched, ...] = ()
    unexpected: tuple[Unmatched, ...] = ()
    misshaped: tuple[Difference, ...] = ()
    cast: tuple[Difference, ...] = ()
    squeezed: tuple[Difference, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every leaf got an array."""
        return not self.missing and not self.misshaped

    def lines(self) -> list[str]:
        """Return one line per name, those that prevent a full load first."""
        return [
            *shortened([absent(entry) for entry in self.missing], "missing"),
            *shortened(
                [changed(entry, "does not fit") for entry in self.misshaped], "such"
            ),
            *shortened([spare(entry) for entry in self.unexpected], "unexpected"),
            *shortened([changed(entry, "was cast") for entry in self.cast], "cast"),
            *shortened([changed(entry, "was squeezed") for entry in self.squeezed], "such"),
        ]

    def __str__(self) -> str:
        """Print how many leaves were loaded, then what is worth a remark."""
        total = self.loaded + len(self.missing) + len(self.misshaped)
        return "\n  ".join([f"{self.loaded} of {total} leaves loaded", *self.lines()])

    def check(self, summary: str, hint: str = RENAME_HINT) -> None:
        """Raise with the whole report if a leaf got no array; `hint` is for other names."""
        if self.complete:
            return
        names_differ = self.missing and self.unexpected
        raise LxcError(
            "LXC-E0409",
            summary,
            actual=("\n" + " " * 12).join(self.lines()),
            hint=hint if names_differ else None,
        )


def absent(entry: Unmatched) -> str:
    """Return the line for a leaf without an array."""
    near = f"; there is {' or '.join(entry.nearest)}" if entry.nearest else ""
    return f"{entry.name or 'the array'} is missing{near}"


def spare(entry: Unmatched) -> str:
    """Return the line for a name without a leaf."""
    near = f"; the model has {' or '.join(entry.nearest)}" if entry.nearest else ""
    return f"{entry.name or 'a nameless array'} is not in the model{near}"


def changed(entry: Difference, what: str) -> str:
    """Return the line for an array of another type than the leaf."""
    name = entry.name or "the array"
    return f"{name} {what}: the model has {entry.expected}, found {entry.actual}"


def shortened(lines: Sequence[str], word: str) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"and {more} more {word}"] if more > 0 else [])]


def unmatched(names: Iterable[str], others: Sequence[str]) -> tuple[Unmatched, ...]:
    """Return names without partners with the most similar ones of the other side.

    Only the names that a report shows are compared: each comparison goes over all others.
    """
    return tuple(
        Unmatched(name, nearest(name, others) if place < MOST_SHOWN else ())
        for place, name in enumerate(names)
    )


def nearest(name: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return up to two similar names, the most similar first."""
    return tuple(difflib.get_close_matches(name, others, n=2))
