"""A model as a table of its layers, found by tracing."""

import io
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table

from lxc.frontend.counts import parameter_bytes, parameter_count, state_count, state_entries
from lxc.frontend.layer_rows import LayerRow, layer_rows
from lxc.ir.dim import Size
from lxc.ir.flops import total_flops
from lxc.tracing import is_kaun, trace
from lxc.tree import Unstacked

COLUMNS = ("layer", "output", "parameters", "state", "FLOPs")
WIDEST = 1000
"""Columns of text are as wide as their longest line: a string does not wrap."""


@dataclass(frozen=True)
class Summary:
    """The layers of a model with their sizes, and the totals.

    `flops` is the number of arithmetic operations in one call of the model as it is
    written, before any pass, a multiply-add counted as two. Sizes are ints, or expressions
    where a shape is symbolic. `str` gives the table as plain text, and notebooks show it.
    """

    rows: tuple[LayerRow, ...]
    parameters: Size
    state: Size
    flops: Size
    parameter_bytes: Size

    def lines(self) -> list[tuple[str, ...]]:
        """Return the cells of the table, row by row, then those of the totals."""
        cells = [
            (
                "  " * row.depth + title(row),
                types_text(row.outputs),
                *map(count_text, (row.parameters, row.state, row.flops)),
            )
            for row in self.rows
        ]
        totals = (self.parameters, self.state, self.flops)
        return [*cells, ("total", "", *map(count_text, totals))]

    @property
    def size_text(self) -> str:
        """The line below the table."""
        return f"{count_text(self.parameter_bytes)} bytes of parameters"

    def __rich__(self) -> Table:
        """Return the table as rich prints it."""
        *rows, totals = self.lines()
        table = Table(
            box=box.SIMPLE,
            show_footer=True,
            caption=self.size_text,
            caption_justify="left",
        )
        for place, (column, footer) in enumerate(zip(COLUMNS, totals, strict=True)):
            side: Literal["left", "right"] = "left" if place < 2 else "right"
            table.add_column(column, footer, justify=side, no_wrap=not place)
        for cells in rows:
            # Brackets are shapes here, not markup.
            table.add_row(*(cell.replace("[", "\\[") for cell in cells))
        return table

    def __str__(self) -> str:
        """Return the table without colours."""
        stream = io.StringIO()
        Console(file=stream, width=WIDEST, color_system=None).print(self)
        lines = map(str.rstrip, stream.getvalue().splitlines())
        return "\n".join(line for line in lines if line)

    def print(self) -> None:
        """Print the table, in colours on a terminal."""
        Console().print(self)

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        head = "".join(f"<th>{column}</th>" for column in COLUMNS)
        body = "".join(html_row(cells) for cells in self.lines())
        return (
            f"<table><caption>{self.size_text}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def summary(
    model: Any,
    x: Any,
    *trees: Any,
    mode: str | None = None,
    training: bool = False,
    rngs: Any = None,
    ctx: Any = None,
) -> Summary:
    """Return the layers of `model` with output shapes, parameters, state and FLOPs.

    The arguments are those of `lxc.trace`. The model is traced and not run, so `x` may be a
    `TensorSpec` with symbolic sizes. A parameter that several layers share counts in each
    of them, and once in the total.
    """
    graph = trace(model, x, *trees, mode=mode, training=training, rngs=rngs, ctx=ctx)
    params, state = (
        (trees[0].params, trees[0].state) if is_kaun(model) else (trees[0], trees[1])
    )
    return Summary(
        tuple(layer_rows(graph, dict(state_entries(state)))),
        parameter_count(params),
        state_count(state),
        total_flops(graph.nodes),
        parameter_bytes(params),
    )


def title(row: LayerRow) -> str:
    """Return name and kind of a layer, and how often it runs if not once."""
    text = f"{row.name}: {row.kind}" if row.name else row.kind
    return text if row.calls == 1 else f"{text} x {row.calls}"


def types_text(tree: Any) -> str:
    """Return a tree of types on one line."""
    if isinstance(tree, dict):
        return f"{{{', '.join(f'{key}: {types_text(tree[key])}' for key in tree)}}}"
    if isinstance(tree, list | tuple):
        inner = ", ".join(map(types_text, tree))
        end = "," if len(tree) == 1 else ""
        return f"[{inner}]" if isinstance(tree, list) else f"({inner}{end})"
    if isinstance(tree, Unstacked):
        return f"list of slices of {tree.stacked}"
    return str(tree)


def count_text(count: Size) -> str:
    """Return a number with commas between thousands, or an expression."""
    return f"{count:,}" if isinstance(count, int) else str(count)


def html_row(cells: tuple[str, ...]) -> str:
    """Return one row of an HTML table."""
    first = cells[0].lstrip()
    indent = "&emsp;" * ((len(cells[0]) - len(first)) // 2)
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    return f"<tr><td>{indent}{escape(first)}</td>{rest}</tr>"
