"""Every op, one file per family. Importing this package fills the table `lxc.ir.op.OPS`."""

from lxc.ir.ops import (
    arithmetic,
    contract,
    functions,
    logic,
    random,
    reduce,
    shape,
    structure,
)

FAMILIES = (arithmetic, functions, logic, shape, contract, reduce, random, structure)
