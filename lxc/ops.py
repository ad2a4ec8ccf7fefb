"""NumPy's functions on arrays and on traced tensors alike, for layers of one's own."""

from lxc.ir.functions import *  # noqa: F403 - the same names, one list
from lxc.ir.functions import __all__ as __all__
