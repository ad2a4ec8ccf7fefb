"""Drawings in notebooks, and from Python."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from lxc.drawing.diagram import Drawing
from lxc.drawing.page import page_of
from lxc.drawing.views import views_of
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.passes.choices import DEFAULT
from lxc.passes.records import NO_RECORDS
from lxc.runtime.files import write_atomically
from lxc.runtime.model import CompiledModel
from lxc.stored_model import stored_choices, stored_graph
from lxc.targets import targets_named


@dataclass(frozen=True)
class Picture:
    """A drawing that notebooks show; `save` writes its page to a file."""

    drawing: Drawing

    def save(self, path: Path | str) -> None:
        """Write the page, an HTML file that needs nothing else."""
        try:
            write_atomically(Path(path), [page_of(self.drawing).encode()])
        except OSError as error:
            raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, which can reach nothing around it."""
        return (
            f'<iframe srcdoc="{escape(page_of(self.drawing))}" sandbox="allow-scripts" '
            'width="100%" height="600" style="border: 1px solid #8884"></iframe>'
        )


def draw(model: Graph | CompiledModel, target: str | None = None) -> Picture:
    """Return a picture of a traced graph or a compiled model, in all its stages.

    `target` is the one to show kernels for: of those that the model was compiled for, or of
    all that there are for a graph; the best if none is named.
    """
    if isinstance(model, Graph):
        chosen, graph, choices = targets_named(target or "llvm")[-1], model, DEFAULT
    else:
        names = [record.name for record in model.artifact.targets]
        if target is not None and target not in names:
            raise LxcError(
                "LXC-E0410",
                f"the artifact has no target {target}",
                expected=", ".join(names),
            )
        chosen = targets_named(target or names[-1])[-1]
        graph = stored_graph(model.artifact)
        choices = stored_choices(model.artifact, NO_RECORDS)
    return Picture(Drawing(graph.name, tuple(views_of(graph, chosen, choices))))
