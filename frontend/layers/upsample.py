"""More cells per axis: repeated, interpolated, or taken from the channels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, isfinite
from numbers import Integral, Real
from typing import Any

from lxc.errors import LxcError, Mismatch, one_of
from lxc.frontend.layer import Layer
from lxc.frontend.layers.pool import check_space, spatial_axes
from lxc.ir import functions as ops
from lxc.ir.dim import Size, bounds
from lxc.ir.functions.interpolate import interpolate
from lxc.ir.functions.promotion import as_float, as_operand
from lxc.ir.functions.reduce import summing_type

Factors = float | Sequence[float]
LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
"""The modes that interpolate, and how many spatial axes each takes."""
MODES = ("nearest", *LINEAR)


@dataclass(frozen=True, init=False)
class Upsample(Layer):
    """Return x [N, C, *spatial] with more (or fewer) cells per spatial axis.

    Mode "nearest" repeats every cell; its `scale` is whole, its `size` a multiple of the
    input's, for any number of spatial axes. Modes "linear", "bilinear" and "trilinear"
    interpolate along one, two and three spatial axes. The first and the last cell stay
    where they are (align_corners=True): cell i of the output stands at i * (old size - 1) /
    (new size - 1), a single one on the first cell; one that stands on a cell of the input
    is exactly that cell. With `scale` there are floor(scale * old size) cells.

    `scale` and `size` are one number for all spatial axes, or one per axis in NumPy order.
    `Upsample(2, "bilinear")` is `Upsample("bilinear", scale=2)`. The element type is kept:
    half types are interpolated in float32, integers in float64 and rounded, ties to even.

    Raises LXC-E0101 unless exactly one of `scale` and `size` is given, for an unknown mode
    and for numbers that do not suit it; LXC-E0103 for an input of another rank, or whose
    size gives no whole number of cells.

    Differs from Lux.jl 0.4, which refuses mode "linear", because its documentation lists
    it. Differs from torch.nn.Upsample, which aligns corners only if asked.
    """

    mode: str
    scale: float | tuple[float, ...] | None
    size: int | tuple[int, ...] | None

    def __init__(
        self,
        mode_or_scale: str | Factors | None = None,
        mode: str | None = None,
        *,
        scale: Factors | None = None,
        size: int | Sequence[int] | None = None,
    ) -> None:
        """Take a mode ("nearest" unless given), or a scale and a mode."""
        if isinstance(mode_or_scale, str):
            mode = given_once("mode", mode_or_scale, mode)
        else:
            scale = given_once("scale", mode_or_scale, scale)
        mode = "nearest" if mode is None else mode
        if mode not in MODES:
            hint = f"it is {one_of(MODES)}"
            raise LxcError("LXC-E0101", f"there is no mode {mode!r}", hint=hint)
        if (scale is None) == (size is None):
            raise LxcError(
                "LXC-E0101",
                "upsampling takes either a scale or a size",
                actual="neither" if scale is None else f"scale: {scale}, size: {size}",
            )
        whole = mode == "nearest"
        fields = {
            "mode": mode,
            "scale": None if scale is None else checked("scale", scale, mode, whole),
            "size": None if size is None else checked("size", size, mode, True),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [N, C, *new sizes]."""
        option: Any = self.size if self.scale is None else self.scale
        rank = len(option) if isinstance(option, tuple) else len(spatial_axes(x))
        rank = LINEAR.get(self.mode, rank)
        axes = "one spatial axis" if rank == 1 else f"{rank} spatial axes"
        check_space(x, rank, f"mode is {self.mode}, for {axes}")
        numbers = option if isinstance(option, tuple) else (option,) * rank
        sizes = x.shape[2:]
        if self.mode != "nearest":
            enlarged = scaled_size if self.size is None else known_size
            pairs = zip(sizes, numbers, strict=True)
            return resized(x, [enlarged(old, number) for old, number in pairs]), st
        if self.scale is None:
            numbers = tuple(map(times, sizes, numbers))
        return repeated(x, numbers), st


def given_once(name: str, one: Any, other: Any) -> Any:
    """Return the option that was given, or raise if it was given in two places."""
    if one is not None and other is not None:
        actual = f"{name}: {one!r} and {other!r}"
        raise LxcError("LXC-E0101", f"{name} is given twice", actual=actual)
    return other if one is None else one


def checked(name: str, value: Any, mode: str, whole: bool) -> Any:
    """Return one positive number or a tuple of them, or raise if they do not suit."""
    one = isinstance(value, Real)
    several = isinstance(value, Iterable) and getattr(value, "ndim", 1) == 1
    numbers = (value,) if one else tuple(value) if several else ()
    kind: Any = Integral if whole else Real
    if (
        not numbers
        or not all(isinstance(n, kind) and isfinite(n) and n > 0 for n in numbers)
        or not (one or len(numbers) == LINEAR.get(mode, len(numbers)))
    ):
        words = "whole numbers" if whole else "numbers"
        raise LxcError(
            "LXC-E0101",
            f"{name} does not suit mode {mode!r}",
            expected=f"{name}: {words} above 0, one for all axes or one per axis",
            actual=f"{name}: {value}",
        )
    return value if one else numbers


def times(old: Size, new: int) -> int:
    """Return how often cells repeat to fill an axis, or raise if they do not fill it."""
    if isinstance(old, int) and old > 0 and new % old == 0:
        return new // old
    raise LxcError(
        "LXC-E0103",
        "whole cells do not fill this size",
        expected=f"size: a multiple of {old}",
        actual=f"size: {new}",
        hint="another size, or a mode that interpolates",
    )


def known_size(old: Size, new: int) -> Size:
    """Return the size to interpolate to, or raise if there is nothing to read."""
    if bounds(old)[0] > 0:
        return new
    raise Mismatch("x", "at least one cell per axis", f"{old} cells")


def scaled_size(old: Size, scale: float) -> Size:
    """Return floor(scale * old), or raise if that is no cell or not known."""
    if not isinstance(old, int) and scale != floor(scale):
        raise LxcError(
            "LXC-E0103",
            "a size that is known at run time only takes a whole scale",
            expected="scale: a whole number",
            actual=f"scale: {scale} of {old} cells",
        )
    new = floor(scale * old) if isinstance(old, int) else old * int(scale)
    if bounds(new)[0] > 0:
        return new
    raise Mismatch(
        "x", "enough cells to keep one", f"{old} cells", because=f"scale {scale}"
    )


def repeated(x: Any, factors: Sequence[int]) -> Any:
    """Return x with every cell repeated along each spatial axis."""
    shape = x.shape
    pairs = list(zip(shape[2:], factors, strict=True))
    ones = [size for old, _ in pairs for size in (old, 1)]
    wide = [size for pair in pairs for size in pair]
    joined = [old * int(factor) for old, factor in pairs]
    y = ops.reshape(x, (*shape[:2], *ones))
    return ops.reshape(ops.broadcast_to(y, (*shape[:2], *wide)), (*shape[:2], *joined))


def resized(x: Any, sizes: Sequence[Size]) -> Any:
    """Return x interpolated to `sizes`, one spatial axis after the other."""
    floats = as_float(x)
    y = summing_type(floats)
    for axis, new in enumerate(sizes, 2):
        y = interpolate(y, axis, new)
    return as_operand(y if floats.dtype == x.dtype else ops.rint(y), x.dtype)
