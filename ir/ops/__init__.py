"""Every op, one file per family. Importing this package fills the table `lxc.ir.op.OPS`."""

from lxc.ir.ops import contract, elementwise, random, reduce, shape, structure

FAMILIES = (elementwise, shape, contract, reduce, random, structure)
