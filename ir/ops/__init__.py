"""Every op, one file per family. Importing this package fills the table `lxc.ir.op.OPS`."""

from lxc.ir.ops import (
    arithmetic,
    contract,
    cumulative,
    functions,
    gather,
    logic,
    random,
    reduce,
    shape,
    structure,
    trigonometric,
)

FAMILIES = (
    arithmetic,
    functions,
    trigonometric,
    logic,
    shape,
    contract,
    reduce,
    cumulative,
    gather,
    random,
    structure,
)
