"""The second kernel of a product whose sums several blocks share.

It adds the chains of a result in the order in which one block would, and computes what
follows.
"""

from lxc.errors import InternalError
from lxc.targets.cuda.grid_writer import Following, GridWriter
from lxc.targets.cuda.templates.products.contraction import Contraction
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.products.ends import write_at
from lxc.targets.cuda.templates.products.product import Product, product_of
from lxc.targets.cuda.templates.products.splits import Split, place_of_chain
from lxc.targets.kernels.cost import Cost
from lxc.targets.kernels.node_work import NodeWork
from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.tile import Work
from lxc.targets.kernels.variants import Variants
from lxc.targets.tvm_api import Buffer, Index, array, constant, load, store

TOGETHER = 32
"""So many chains of a result are read at once."""


def following_of(found: Product, split: Split, variants: Variants) -> Following:
    """Return the second kernel of a product, and the memory of its chains."""

    def write(writer: GridWriter, work: NodeWork, chains: Buffer) -> str:
        again = product_of(writer, work.node, work.operands)
        if again is None:
            raise InternalError("code generation", "a product is none in its second kernel")
        whole = again.work(writer, work.result, variants)
        write_added(writer, whole, again.contraction, chains, split.chains)
        return f"{found.anchor.op} by sums of {split.chains} chains"

    chains = array("chains", "float32", split.chains * split.results)
    return Following(chains, split.bytes, cost_of_adding(found, split), write)


def cost_of_adding(found: Product, split: Split) -> Cost:
    """Return what reading and adding the chains takes, and writing the result."""
    kind, size = found.group.stored.type, found.anchor.result.type.element_count
    now = size * split.chains
    moved = kind.element_count * kind.dtype.bytes + now * 4
    return Cost(split.chains * split.results, split.bytes + kind.max_bytes, now, moved)


def write_added(
    writer: GridWriter, work: Work, sizes: Contraction, chains: Buffer, count: int
) -> None:
    """Write the kernel, a result per thread; neighbours are those of the result."""
    ends_in_rows = sizes.ends_in_rows
    inner = (sizes.columns, sizes.rows) if ends_in_rows else (sizes.rows, sizes.columns)
    shape = (sizes.batches, *inner)
    with writer.loop(product(shape), parallel=True) as number:
        batch, *rest = (
            writer.name(entry, size)
            for entry, size in zip(unravel(number, shape), shape, strict=True)
        )
        row, column = reversed(rest) if ends_in_rows else rest
        total = writer.array("float32", 1)
        writer.write(store(total, 0, constant(0.0, "float32")))

        def add(first: Index, together: int) -> None:
            with unrolled(writer, together) as other:
                place = place_of_chain(sizes, first + other, batch, row, column)
                writer.write(store(total, 0, load(total, 0) + load(chains, place)))

        whole = count // TOGETHER
        with writer.loop(whole) as turn:
            add(turn * TOGETHER, TOGETHER)
        if count % TOGETHER:
            add(whole * TOGETHER, count % TOGETHER)
        at = sizes.coordinates(batch, row, column)
        write_at(work, load(total, 0), at)
