"""How windows and kernels lie on the spatial axes of ONNX' convolutions and pools."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError
from lxc.frontend.onnx.values import number
from lxc.ir.dim import Size
from lxc.ir.tensor import shape_of

Pair = tuple[Size, Size]


@dataclass(frozen=True)
class Windows:
    """Sizes, steps, distances of taps and padding of windows, per spatial axis."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: tuple[Pair, ...]

    @property
    def reaches(self) -> tuple[int, ...]:
        """How many cells a window reaches over, per axis."""
        pairs = zip(self.sizes, self.dilations, strict=True)
        return tuple((k - 1) * d + 1 for k, d in pairs)


def windows_on(
    x: Any,
    sizes: Sequence[int],
    *,
    auto_pad: str,
    pads: Sequence[int] | None,
    strides: Sequence[int] | None,
    dilations: Sequence[int] | None,
) -> Windows:
    """Return the windows that a node's attributes describe, on x [N, C, *spatial]."""
    rank = len(sizes)
    if len(shape_of(x)) != rank + 2:
        raise LxcError(
            "LXC-E0103", f"{rank} spatial axes are expected", actual=str(shape_of(x))
        )
    steps = per_axis(strides, rank, 1)
    spread = per_axis(dilations, rank, 1)
    if auto_pad.startswith("SAME"):
        reach = [(k - 1) * d + 1 for k, d in zip(sizes, spread, strict=True)]
        triples = zip(shape_of(x)[2:], reach, steps, strict=True)
        totals = [same_padding(*triple) for triple in triples]
        padding = halves(totals, upper=auto_pad == "SAME_UPPER")
    else:
        given = per_axis(None if auto_pad == "VALID" else pads, 2 * rank, 0)
        padding = tuple(zip(given[:rank], given[rank:], strict=True))
    return Windows(tuple(sizes), steps, spread, padding)


def per_axis(given: Sequence[int] | None, count: int, default: int) -> tuple[int, ...]:
    """Return an attribute with one number per axis, all of them `default` if missing."""
    if not given:
        return (default,) * count
    if len(given) != count:
        raise LxcError(
            "LXC-E0103", f"{count} numbers are expected", actual=str(list(given))
        )
    return tuple(given)


def same_padding(entry: Size, reach: int, stride: int) -> int:
    """Return how many cells are added so that there are ceil(entry / stride) windows."""
    if stride == 1:
        return reach - 1
    known = number(entry, "a size that is padded for strides")
    return max((-(-known // stride) - 1) * stride + reach - known, 0)


def halves(totals: Sequence[int], *, upper: bool) -> tuple[Pair, ...]:
    """Return totals in two parts; the larger one comes last if `upper`."""
    small = [(total // 2, total - total // 2) for total in totals]
    return tuple(small if upper else [(high, low) for low, high in small])
