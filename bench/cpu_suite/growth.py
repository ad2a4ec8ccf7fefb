"""The figure of how lxc grows: run time with batch and sequence, the rest with layers."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cpu_suite.growth_fit import Growth

COLUMNS = 3


def draw(growths: Sequence[Growth], path: Path) -> None:
    """Write the figure: the points of every series, and the line that fits them best."""
    rows = -(-len(growths) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 3.2 * rows), layout="constrained")
    axes = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for place, growth in zip(axes, growths, strict=False):
        plot(place, growth)
    for place in axes[len(growths) :]:
        place.set_axis_off()
    figure.savefig(path, format="png", dpi=120)


def plot(axes: Axes, growth: Growth) -> None:
    """Draw one series; a point that failed is named in the title."""
    missing = ", ".join(map(str, growth.missing))
    lost = f" (no result for {missing})" if missing else ""
    axes.set_title(f"{growth.series.title}: {growth.panel.title}{lost}", fontsize=9)
    axes.set_xlabel(growth.series.over)
    axes.set_ylabel(growth.panel.unit)
    if growth.line:
        ends = [growth.points[0][0], growth.points[-1][0]]
        axes.plot(ends, [growth.line.at(size) for size in ends], "--", color="0.7")
    if growth.points:
        axes.plot(*zip(*growth.points, strict=True), "o-")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
