"""How lxc grows: run time with batch and sequence, compile time and size with layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cpu_suite.growth_cases import SERIES, Series
from cpu_suite.outcome import Outcome, Result


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


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the figure: every series with the line through its first and last point."""
    outcomes = {result.name: result.outcomes["lxc"] for result in results}
    shown = [(series, kind) for series in SERIES for kind in series.panels]
    figure = Figure(figsize=(4.2 * 3, 3.2 * -(-len(shown) // 3)), layout="constrained")
    axes = figure.subplots(-(-len(shown) // 3), 3, squeeze=False)
    for place, (series, kind) in enumerate(shown):
        plot(axes[place // 3][place % 3], series, PANELS[kind], outcomes)
    for place in range(len(shown), axes.size):
        axes[place // 3][place % 3].set_axis_off()
    figure.savefig(path, format="png", dpi=120)


def plot(axes: Axes, series: Series, panel: Panel, outcomes: Mapping[str, Outcome]) -> None:
    """Draw one series; a point that failed is named in the title."""
    points, missing = [], []
    for size, case in series.cases:
        number = number_of(outcomes[case.name], panel.number)
        if number is None:
            missing.append(str(size))
        else:
            points.append((size, number * panel.factor))
    lost = f" (no result for {', '.join(missing)})" if missing else ""
    axes.set_title(f"{series.title}: {panel.title}{lost}", fontsize=9)
    axes.set_xlabel(series.over)
    axes.set_ylabel(panel.unit)
    if points:
        axes.plot(*zip(points[0], points[-1], strict=True), "--", color="0.7")
        axes.plot(*zip(*points, strict=True), "o-")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)


def number_of(outcome: Outcome, name: str) -> float | None:
    """Return a number of an outcome, or of its notes; None if it is not known."""
    if name in outcome.notes:
        return float(outcome.notes[name])
    if name == "least":
        return outcome.least if outcome.seconds else None
    return outcome.build_seconds
