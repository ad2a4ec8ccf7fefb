"""Compute what few numbers need only for vectors in which there is one that does."""

from collections.abc import Callable, Sequence

from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Expr, constant, differs, load, select

Typed = tuple[Expr, str]
"""An element of every lane, and its type."""


def write_rare(
    writer: Writer,
    width: int,
    needed: Expr,
    usual: Sequence[Typed],
    other: Callable[[], Sequence[Expr]],
) -> list[Expr]:
    """Write other elements where they are needed; return those of the current lane.

    What a lane gets does not depend on the other lanes.
    """
    lane, none = writer.lane(width), constant(0, "int32")
    flags = writer.array("int32", width)
    writer.store(flags, lane, select(needed, constant(1, "int32"), none), width)
    found = [writer.array(dtype, width) for _, dtype in usual]
    for buffer, (element, _) in zip(found, usual, strict=True):
        writer.store(buffer, lane, element, width)

    def replace() -> None:
        for buffer, element in zip(found, other(), strict=True):
            here = differs(load(flags, lane), none)
            writer.store(buffer, lane, select(here, element, load(buffer, lane)), width)

    writer.choose(differs(writer.any_bit(flags, width), none), replace, lambda: None)
    return [load(buffer, lane) for buffer in found]
