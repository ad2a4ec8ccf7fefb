"""Convolutions of ONNX, in both directions."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.onnx.making import check_elements
from lxc.frontend.onnx.operator import Operator, operator_of
from lxc.frontend.onnx.space import Pair, Windows, halves, per_axis, windows_on
from lxc.frontend.onnx.values import Known, number, whole_numbers
from lxc.ir import functions as ops
from lxc.ir.functions.shape import narrow
from lxc.ir.tensor import shape_of

AutoPad: TypeAlias = Literal["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]


def conv(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    auto_pad: AutoPad = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return x [N, C, *spatial] cross-correlated with weight [O, C / group, *taps]."""
    windows = windows_on(
        x,
        taps_of(weight, kernel_shape),
        auto_pad=auto_pad,
        pads=pads,
        strides=strides,
        dilations=dilations,
    )
    y = ops.conv(
        x,
        weight,
        strides=windows.strides,
        padding=windows.padding,
        rhs_dilation=windows.dilations,
        groups=group,
    )
    return with_bias(y, bias)


def taps_of(weight: Any, kernel_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return the spatial sizes of a kernel, which an attribute may repeat."""
    taps = tuple(number(entry, "the size of a kernel") for entry in weight.shape[2:])
    if kernel_shape and tuple(kernel_shape) != taps:
        raise LxcError(
            "LXC-E0103",
            "the kernel has another shape than the node says",
            expected=str(list(kernel_shape)),
            actual=str(list(taps)),
        )
    return taps


def with_bias(y: Any, bias: Any) -> Any:
    """Return y plus one number per channel, if there are any."""
    if bias is None:
        return y
    return ops.add(y, ops.reshape(bias, (y.shape[1], *(1,) * (y.ndim - 2))))


def conv_transpose(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    auto_pad: AutoPad = "NOTSET",
    dilations: Sequence[int] | None = None,
    group: int = 1,
    kernel_shape: Sequence[int] | None = None,
    output_padding: Sequence[int] | None = None,
    output_shape: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return the adjoint of a convolution with weight [C, O / group, *taps]."""
    taps = taps_of(weight, kernel_shape)
    notset: Mapping[str, Any] = {"strides": strides, "dilations": dilations}
    windows = windows_on(x, taps, auto_pad="NOTSET", pads=pads, **notset)
    more = per_axis(output_padding, len(taps), 0)
    cuts = cuts_of(x, windows, more, auto_pad, output_shape)
    triples = zip(windows.reaches, cuts, more, strict=True)
    edges = [(k - 1 - low, k - 1 - high + extra) for k, (low, high), extra in triples]
    y = ops.conv(
        x,
        by_output(ops.flip(weight, tuple(range(2, x.ndim))), group),
        strides=(1,) * len(taps),
        padding=[(max(low, 0), max(high, 0)) for low, high in edges],
        lhs_dilation=windows.strides,
        rhs_dilation=windows.dilations,
        groups=group,
    )
    for axis, (low, high) in enumerate(edges, 2):
        y = narrow(y, axis, max(-low, 0), y.shape[axis] - max(-high, 0))
    return with_bias(y, bias)


def cuts_of(
    x: Any,
    windows: Windows,
    more: Sequence[int],
    auto_pad: str,
    output_shape: Sequence[int] | None,
) -> list[tuple[int, int]]:
    """Return how many cells of the whole result are left out: (before, after) per axis."""
    rank = len(windows.sizes)
    same = auto_pad.startswith("SAME")
    if not output_shape and not same:
        return [(int(low), int(high)) for low, high in windows.padding]
    steps = zip(x.shape[2:], windows.strides, windows.reaches, more, strict=True)
    totals = []
    for axis, (entry, stride, reach, extra) in enumerate(steps):
        if output_shape:
            wanted = output_shape[axis - rank]
            known = number(entry, "a size that an output shape is given for")
            totals.append(stride * (known - 1) + extra + reach - wanted)
        else:
            totals.append(max(reach - stride + extra, 0))
    pairs: tuple[Pair, ...] = halves(totals, upper=auto_pad == "SAME_UPPER")
    return [(int(low), int(high)) for low, high in pairs]


def by_output(weight: Any, group: int) -> Any:
    """Return weight [C, O / group, *taps] as [O, C / group, *taps]."""
    inputs, outputs, *taps = weight.shape
    if inputs % group:
        raise LxcError("LXC-E0103", f"{inputs} channels make no {group} equal groups")
    blocks = ops.reshape(weight, (group, inputs // group, outputs, *taps))
    swapped = ops.swapaxes(blocks, 1, 2)
    return ops.reshape(swapped, (group * outputs, inputs // group, *taps))


def col2im(
    x: Any,
    image_shape: Known,
    block_shape: Known,
    *,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> Any:
    """Return images in which the blocks of x [N, C * cells, blocks] overlap and add up."""
    image = whole_numbers(image_shape, "the size of an image")
    block = whole_numbers(block_shape, "the size of a block")
    cells, rank = prod(block), len(block)
    check_elements((cells, cells))
    steps, spread = per_axis(strides, rank, 1), per_axis(dilations, rank, 1)
    edges = per_axis(pads, 2 * rank, 0)
    padded = [image[i] + edges[i] + edges[rank + i] for i in range(rank)]
    spans = [padded[i] - (block[i] - 1) * spread[i] - 1 for i in range(rank)]
    counts = [span // step + 1 for span, step in zip(spans, steps, strict=True)]
    batch, lines, _ = shape_of(x)
    channels = number(lines, "the number of lines of blocks") // cells
    # Every cell of a block is a channel whose kernel is a one in its place.
    kernel = np.eye(cells).reshape(cells, 1, *block).astype(x.dtype)
    y = conv_transpose(
        ops.reshape(x, (batch * channels, cells, *counts)),
        kernel,
        dilations=spread,
        output_padding=[span % step for span, step in zip(spans, steps, strict=True)],
        pads=edges,
        strides=steps,
    )
    return ops.reshape(y, (batch, channels, *image))


CONVOLUTIONS: Mapping[str, Operator] = {
    "Col2Im": operator_of(col2im),
    "Conv": operator_of(conv),
    "ConvTranspose": operator_of(conv_transpose),
}
