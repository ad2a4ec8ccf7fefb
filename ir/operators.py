"""Python's operators for traced values."""

import numpy as np

Mixin = np.lib.mixins.NDArrayOperatorsMixin


class Operators(Mixin):
    """NumPy's operators; `x += y` makes a new value, since a traced one never changes."""

    __iadd__ = Mixin.__add__
    __isub__ = Mixin.__sub__
    __imul__ = Mixin.__mul__
    __imatmul__ = Mixin.__matmul__
    __itruediv__ = Mixin.__truediv__
    __ifloordiv__ = Mixin.__floordiv__
    __imod__ = Mixin.__mod__
    __ipow__ = Mixin.__pow__
    __ilshift__ = Mixin.__lshift__
    __irshift__ = Mixin.__rshift__
    __iand__ = Mixin.__and__
    __ior__ = Mixin.__or__
    __ixor__ = Mixin.__xor__
