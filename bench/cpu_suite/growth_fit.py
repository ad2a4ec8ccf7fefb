"""The line that a growing series of cases follows, and how far it is from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cpu_suite.growth_cases import SERIES, Series
from cpu_suite.outcome import Outcome, Result

Point = tuple[int, float]


@dataclass(frozen=True)
class Panel:
    """One axes of the figure: what it shows of an outcome, and over what."""

    title: str
    unit: str
    factor: float
    number: str


PANELS = {
    "run": Panel("run time", "ms", 1e3, "least"),
    "build": Panel("compile time", "s", 1, "build_seconds"),
    "size": Panel("size of the artifact", "KiB", 1 / 1024, "artifact_bytes"),
}


@dataclass(frozen=True)
class Line:
    """`fixed + step * size`, and the largest distance of a point as a share of the line."""

    fixed: float
    step: float
    worst: float

    def at(self, size: int) -> float:
        """Return the number on the line."""
        return self.fixed + self.step * size


@dataclass(frozen=True)
class Growth:
    """What one panel shows: a series, its points, and the sizes that gave none."""

    series: Series
    panel: Panel
    points: tuple[Point, ...]
    missing: tuple[int, ...]

    @property
    def line(self) -> Line | None:
        """The line of least squares, or None where two points are not enough for one."""
        return line_of(self.points) if len(self.points) > 2 else None

    def json(self) -> dict[str, Any]:
        """Return the points and the line."""
        return {
            "series": self.series.title,
            "over": self.series.over,
            "of": self.panel.title,
            "unit": self.panel.unit,
            "points": [list(point) for point in self.points],
            "line": asdict(self.line) if self.line else None,
        }

    def __str__(self) -> str:
        """Return one line of text."""
        name = f"{self.series.title}, {self.panel.title} over {self.series.over}"
        if self.line is None:
            return f"{name}: too few points"
        formula = f"{self.line.fixed:.3g} + {self.line.step:.3g} * {self.series.over}"
        return f"{name}: {formula} {self.panel.unit}, off by {self.line.worst:.0%} at most"


def line_of(points: Sequence[Point]) -> Line:
    """Return the line of least squares through points."""
    sizes, numbers = (np.array(column, np.float64) for column in zip(*points, strict=True))
    step, fixed = np.polyfit(sizes, numbers, 1)
    line = fixed + step * sizes
    worst = np.max(np.abs(numbers - line) / np.maximum(np.abs(line), 1e-30))
    return Line(float(fixed), float(step), float(worst))


def growths(results: Sequence[Result]) -> list[Growth]:
    """Return all panels of the series, in their order."""
    outcomes = {result.name: result.outcomes["lxc"] for result in results}
    return [
        growth_of(series, PANELS[kind], outcomes)
        for series in SERIES
        for kind in series.panels
    ]


def growth_of(series: Series, panel: Panel, outcomes: Mapping[str, Outcome]) -> Growth:
    """Return what one panel shows of a series."""
    points, missing = [], []
    for size, case in series.cases:
        number = number_of(outcomes[case.name], panel.number)
        if number is None:
            missing.append(size)
        else:
            points.append((size, number * panel.factor))
    return Growth(series, panel, tuple(points), tuple(missing))


def number_of(outcome: Outcome, name: str) -> float | None:
    """Return the least time of a call, the seconds of the build, or a note, if there is."""
    if name == "least":
        return outcome.least if outcome.seconds else None
    if name == "build_seconds":
        return outcome.build_seconds
    return float(outcome.notes[name]) if name in outcome.notes else None
