"""Drawings in the language of Graphviz, for tools that have a layout of their own."""

from collections.abc import Iterator

from lxc.drawing.diagram import Box, Diagram, View
from lxc.drawing.layout import IsOpen
from lxc.errors import printable

Ends = dict[tuple[str, int], str]
"""The id of the box that stands for an operand or a result of an open box."""


def dot_of(view: View, is_open: IsOpen) -> str:
    """Return a view as the text of a DOT file; open boxes are clusters."""
    lines = [
        f"digraph {quoted(view.name)} {{",
        "  node [shape=box, style=rounded, fontname=Helvetica, fontsize=11];",
        "  edge [fontname=Courier, fontsize=9];",
        *Writer(is_open).diagram(view.diagram, "v", "  "),
        "}",
    ]
    return "\n".join(lines) + "\n"


class Writer:
    """One file: knows which boxes take the place of open ones at the ends of edges."""

    def __init__(self, is_open: IsOpen) -> None:
        """Begin with no box."""
        self.is_open = is_open
        self.takes: Ends = {}
        self.gives: Ends = {}

    def diagram(self, diagram: Diagram, ident: str, indent: str) -> Iterator[str]:
        """Yield the lines of a diagram."""
        for number, box in enumerate(diagram.boxes):
            yield from self.box(box, f"{ident}-{number}", indent)
        for edge in diagram.edges:
            source, target = f"{ident}-{edge.source}", f"{ident}-{edge.target}"
            first = self.gives.get((source, edge.result), source)
            last = self.takes.get((target, edge.operand), target)
            label = f"[label={quoted(edge.text)}]"
            yield f"{indent}{quoted(first)} -> {quoted(last)} {label};"

    def box(self, box: Box, ident: str, indent: str) -> Iterator[str]:
        """Yield the lines of a box, as a cluster if it is open."""
        if box.body is None or not self.is_open(ident):
            label = "\n".join((box.title, *box.lines))
            shape = ", shape=oval" if box.kind in ("input", "output") else ""
            yield f"{indent}{quoted(ident)} [label={quoted(label)}{shape}];"
            return
        yield f"{indent}subgraph {quoted(f'cluster {ident}')} {{"
        yield f"{indent}  label={quoted(' '.join((box.title, *box.lines)))};"
        yield from self.diagram(box.body, ident, indent + "  ")
        yield f"{indent}}}"
        for number, inner in enumerate(box.body.boxes):
            if inner.place is not None and inner.kind in ("input", "output"):
                ends = self.takes if inner.kind == "input" else self.gives
                own = f"{ident}-{number}"
                ends[ident, inner.place] = own


def quoted(text: str) -> str:
    """Return text as a string of the language."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'
