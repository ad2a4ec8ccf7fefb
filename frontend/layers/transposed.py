"""Transposed convolutions: from the cells of an output back to those of an input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxc.errors import LxcError, Mismatch
from lxc.frontend.layers.conv import Conv
from lxc.frontend.padding import Numbers, Pairs, SamePad, crop_pairs
from lxc.ir import functions as ops
from lxc.ir.dim import bounds
from lxc.ir.functions.shape import narrow
from lxc.ir.types import shape_text


@dataclass(frozen=True, init=False)
class ConvTranspose(Conv):
    """Return activation(w * x + bias), * the adjoint of the product of `Conv`.

    `x` is [N, inputs, *spatial] with one to three spatial axes, `weight` [inputs, outputs /
    groups, *kernel], `bias` (outputs,); all have one element type. Cell p of the input adds
    x[p] * w[k - 1 - j] to cell p * stride + j * dilation - before of the output, which has
    (size - 1) * stride + 1 + dilation * (k - 1) - before - after cells per axis: `pad`
    crops. Block q of the input channels feeds block q of the output channels.

    Raises LXC-E0101 for options that do not fit, LXC-E0103 for an input of another rank,
    with other channels or without cells, for a weight of another shape (that of `Conv`,
    say), and if pads crop all of the output.

    Differs from torch.nn.ConvTranspose2d, which does not flip the kernel: this is the
    adjoint of a `Conv` that does. Differs from Lux.jl 0.4, where `SamePad()` gives (size -
    1) * stride + 1 cells, because its documentation promises size * stride (later versions
    keep that); a kernel that does not reach the stride gives (size - 1) * stride + K, K the
    dilated kernel. One number of `pad` per axis means that axis alone; Lux.jl 0.4 takes
    their sum.
    """

    def pads(
        self,
        pad: Numbers | SamePad,
        kernel: Sequence[int],
        dilation: Sequence[int],
        stride: Sequence[int],
    ) -> Pairs:
        """Return how many cells to leave out: (before, after) per spatial axis."""
        return crop_pairs(pad, kernel, dilation, stride)

    @property
    def weight_channels(self) -> tuple[int, int]:
        """The first two sizes of the weight."""
        return self.inputs, self.outputs // self.groups

    def product(self, x: Any, weight: Any) -> Any:
        """Return the transposed convolution alone.

        With zeros between its cells the input is cross-correlated with the weight as it is:
        to flip for `Conv` and to flip for the adjoint cancel out.
        """
        self.check_cells(x)
        rank = len(self.kernel)
        # An edge below zero says how much of the output is left out in the end.
        edges = [
            tuple(d * (k - 1) - cut for cut in pair)
            for k, d, pair in zip(self.kernel, self.dilation, self.padding, strict=True)
        ]
        y = ops.conv(
            x,
            self.by_output(weight),
            strides=(1,) * rank,
            padding=[(max(low, 0), max(high, 0)) for low, high in edges],
            lhs_dilation=self.stride,
            rhs_dilation=self.dilation,
            groups=self.groups,
        )
        for axis, (low, high) in enumerate(edges, 2):
            y = narrow(y, axis, max(-low, 0), y.shape[axis] - max(-high, 0))
        return y

    def by_output(self, weight: Any) -> Any:
        """Return the weight as [outputs, inputs / groups, *kernel]."""
        (inputs, outputs), taps = self.weight_channels, self.kernel
        blocks = (self.groups, inputs // self.groups, outputs, *taps)
        swapped = ops.swapaxes(ops.reshape(weight, blocks), 1, 2)
        return ops.reshape(swapped, (self.outputs, inputs // self.groups, *taps))

    def check_cells(self, x: Any) -> None:
        """Refuse an input without cells and one of whose output nothing is left."""
        options = zip(self.kernel, self.stride, self.dilation, self.padding, strict=True)
        for size, (k, s, d, (low, high)) in zip(x.shape[2:], options, strict=True):
            if bounds(size)[0] < 1:
                raise Mismatch("x", "at least one cell per axis", shape_text(x.shape))
            whole = (size - 1) * s + 1 + d * (k - 1)
            if bounds(whole - low - high)[0] < 1:
                raise LxcError(
                    "LXC-E0103",
                    "the pads crop all of the output",
                    expected=f"pad: less than {whole} cells along the axis",
                    actual=f"pad: {low} in front and {high} behind",
                )
