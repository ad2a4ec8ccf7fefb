"""NumPy's functions on arrays and on traced tensors alike, for layers of one's own."""

from lxc.ir.functions import *  # noqa: F403 - the same names, one list
from lxc.ir.functions import __all__ as __all__

# Named again for type checkers, which do not follow lists made of lists.
from lxc.ir.functions.elementwise import *  # noqa: F403
