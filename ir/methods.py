"""What tensors have in common with arrays: each method is NumPy's function of that name."""

from typing import Any, NoReturn, Self

import numpy as np

from lxc.ir.dispatch import call, refusal
from lxc.ir.operators import Operators


class Methods(Operators):
    """The methods of NumPy's arrays that give tensors."""

    @property
    def T(self) -> Self:  # noqa: N802 - NumPy's name
        """The tensor with its axes in reverse order."""
        return self._give(np.transpose)

    @property
    def mT(self) -> Self:  # noqa: N802 - NumPy's name
        """The tensor with its last two axes exchanged."""
        return self._give(np.swapaxes, -1, -2)

    def reshape(self, *shape: Any) -> Self:
        """Return the elements in another shape."""
        return self._give(np.reshape, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Self:
        """Return the tensor with permuted axes."""
        return self._give(np.transpose, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, first: int, second: int) -> Self:
        """Return the tensor with two axes exchanged."""
        return self._give(np.swapaxes, first, second)

    def squeeze(self, axis: Any = None) -> Self:
        """Return the tensor without axes of size 1: all of them, or those named."""
        return self._give(np.squeeze, axis)

    def ravel(self) -> Self:
        """Return all elements in C order on one axis."""
        return self._give(np.ravel)

    def flatten(self) -> Self:
        """Return all elements in C order on one axis."""
        return self._give(np.ravel)

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        """Return every element a number of times."""
        return self._give(np.repeat, repeats, axis)

    def take(self, indices: Any, axis: int | None = None, **options: Any) -> Self:
        """Return the entries with the given numbers along an axis."""
        return self._give(np.take, indices, axis, **options)

    def diagonal(self, *args: Any, **options: Any) -> Self:
        """Return the diagonal."""
        return self._give(np.diagonal, *args, **options)

    def trace(self, *args: Any, **options: Any) -> Self:
        """Return the sum of the diagonal."""
        return self._give(np.trace, *args, **options)

    def dot(self, other: Any) -> Self:
        """Return the product with another matrix or vector."""
        return self._give(np.dot, other)

    def astype(self, dtype: Any, *, copy: bool = True) -> Self:
        """Return the elements converted to `dtype`."""
        return self._give(np.ndarray.astype, dtype, copy=copy)

    def copy(self) -> Self:
        """Return the tensor, which never changes."""
        return self

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """Return the elements limited to [min, max]."""
        return self._give(np.clip, min, max)

    def round(self, decimals: int = 0) -> Self:
        """Return the elements rounded to a number of decimal places."""
        return self._give(np.round, decimals)

    def sum(self, axis: Any = None, **options: Any) -> Self:
        """Return the sum along axes."""
        return self._give(np.sum, axis, **options)

    def prod(self, axis: Any = None, **options: Any) -> Self:
        """Return the product along axes."""
        return self._give(np.prod, axis, **options)

    def mean(self, axis: Any = None, **options: Any) -> Self:
        """Return the mean along axes."""
        return self._give(np.mean, axis, **options)

    def var(self, axis: Any = None, **options: Any) -> Self:
        """Return the variance along axes."""
        return self._give(np.var, axis, **options)

    def std(self, axis: Any = None, **options: Any) -> Self:
        """Return the standard deviation along axes."""
        return self._give(np.std, axis, **options)

    def max(self, axis: Any = None, **options: Any) -> Self:
        """Return the maximum along axes."""
        return self._give(np.max, axis, **options)

    def min(self, axis: Any = None, **options: Any) -> Self:
        """Return the minimum along axes."""
        return self._give(np.min, axis, **options)

    def all(self, axis: Any = None, **options: Any) -> Self:
        """Return whether every element along axes is true."""
        return self._give(np.all, axis, **options)

    def any(self, axis: Any = None, **options: Any) -> Self:
        """Return whether some element along axes is true."""
        return self._give(np.any, axis, **options)

    def argmax(self, axis: int | None = None, **options: Any) -> Self:
        """Return the number of the first maximum along an axis."""
        return self._give(np.argmax, axis, **options)

    def argmin(self, axis: int | None = None, **options: Any) -> Self:
        """Return the number of the first minimum along an axis."""
        return self._give(np.argmin, axis, **options)

    def cumsum(self, axis: int | None = None, **options: Any) -> Self:
        """Return the sums of all elements so far along an axis."""
        return self._give(np.cumsum, axis, **options)

    def cumprod(self, axis: int | None = None, **options: Any) -> Self:
        """Return the products of all elements so far along an axis."""
        return self._give(np.cumprod, axis, **options)

    def item(self, *_: Any) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the number in a tensor")

    def tolist(self) -> NoReturn:
        """Refuse: there are no contents."""
        raise refusal("the contents of a tensor as a list")

    def __round__(self, decimals: int = 0) -> Self:
        """Return the elements rounded to a number of decimal places."""
        return self._give(np.round, decimals)

    def _give(self, function: Any, *args: Any, **options: Any) -> Self:
        result: Self = call(function, self, *args, **options)
        return result
