"""Every op, one file per family. Importing this package fills the table `lxc.ir.op.OPS`."""

from lxc.ir.ops import (
    arithmetic,
    attention,
    contract,
    cumulative,
    functions,
    gather,
    logic,
    packed,
    random,
    reduce,
    scratch,
    shape,
    structure,
    trigonometric,
    winograd,
)

FAMILIES = (
    arithmetic,
    functions,
    trigonometric,
    logic,
    shape,
    contract,
    packed,
    winograd,
    attention,
    reduce,
    cumulative,
    gather,
    random,
    scratch,
    structure,
)
