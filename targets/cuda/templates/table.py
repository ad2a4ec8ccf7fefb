"""The templates, and which of them writes a kernel."""

from collections.abc import Callable

from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.templates.attention.kernel import write_attention_tiles
from lxc.targets.cuda.templates.products.kernel import write_products
from lxc.targets.cuda.templates.row_reductions import write_row_reduction
from lxc.targets.cuda.templates.rows import write_row_teams
from lxc.targets.cuda.templates.streams import write_stream
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.variants import Variants

Template = Callable[[GridWriter, NodeWork, Variants], str | None]
"""It writes a kernel and returns the algorithm, or writes nothing and returns None."""

TEMPLATES: tuple[Template, ...] = (
    write_products,
    write_attention_tiles,
    write_row_teams,
    write_row_reduction,
    write_stream,
)
"""All templates; the first that suits a kernel writes it."""


def write_by_template(writer: GridWriter, work: NodeWork, variants: Variants) -> str | None:
    """Write a kernel by the first template that suits it; return the algorithm or None."""
    for template in TEMPLATES:
        algorithm = template(writer, work, variants)
        if algorithm:
            return algorithm
    return None
