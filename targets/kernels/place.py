"""A place: the index of an element, as coordinates or as a position in C order, or both.

Views move places, elementwise ops keep them. A reshape keeps the position, so coordinates
are only computed where a view needs them. Places are equal only to themselves, which is
what makes them cheap keys for "this value at this place is known already".
"""

from collections.abc import Sequence

from lxc.targets.kernels.sizes import strides_of
from lxc.targets.tvm_api import Index, divide, is_one, modulo


class Place:
    """One element of a tensor of `shape`."""

    def __init__(
        self,
        shape: Sequence[Index],
        coordinates: Sequence[Index] | None = None,
        position: Index | None = None,
    ) -> None:
        """Take either form; the other is computed when asked for."""
        self.shape = tuple(shape)
        self._coordinates = None if coordinates is None else tuple(coordinates)
        self._position = position

    @property
    def position(self) -> Index:
        """The index in C order."""
        if self._position is None:
            total: Index = 0
            for entry, stride in zip(self.coordinates, strides_of(self.shape), strict=True):
                total = total + entry * stride
            self._position = total
        return self._position

    @property
    def coordinates(self) -> tuple[Index, ...]:
        """One index per axis."""
        if self._coordinates is None:
            self._coordinates = unravel(self.position, self.shape)
        return self._coordinates


def unravel(position: Index, shape: Sequence[Index]) -> tuple[Index, ...]:
    """Return the coordinates of a position in C order; a shape without elements has none.

    Code for it never runs, but it is written, and must not divide by a literal zero.
    """
    if any(isinstance(entry, int) and entry == 0 for entry in shape):
        return (0,) * len(shape)
    coordinates: list[Index] = []
    wide = [axis for axis, entry in enumerate(shape) if not is_one(entry)]
    for axis, stride in enumerate(strides_of(shape)):
        if axis not in wide:
            coordinates.append(0)
        elif axis == wide[0]:
            coordinates.append(divide(position, stride))
        else:
            coordinates.append(modulo(divide(position, stride), shape[axis]))
    return tuple(coordinates)


def joined(shape: Sequence[Index], leading: Sequence[Index], rest: Index) -> Place:
    """Return the place with some leading coordinates and a position in all other axes."""
    inner = shape[len(leading) :]
    start: Index = 0
    for entry, stride in zip(leading, strides_of(shape), strict=False):
        start = start + entry * stride
    return Place(shape, (*leading, *unravel(rest, inner)), start + rest)
