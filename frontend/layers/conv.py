"""Convolutions over one, two or three spatial axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from lxc.errors import LxcError, Mismatch
from lxc.frontend.activations import Activation, choose, identity
from lxc.frontend.initializers import Initializer, glorot_uniform, initialise, zeros32
from lxc.frontend.layer import Layer
from lxc.frontend.layers.linear import check_sizes, check_weight, chosen_bias
from lxc.frontend.padding import (
    Numbers,
    Pairs,
    SamePad,
    numbers_of,
    pad_pairs,
    per_axis,
)
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def kernel_sizes(kernel: Numbers) -> tuple[int, ...]:
    """Return one size per spatial axis, or raise if there are too few or too many."""
    taps = numbers_of(kernel, 1, "kernel")
    if 1 <= len(taps) <= 3 and min(taps) >= 1:
        return taps
    raise LxcError(
        "LXC-E0101",
        "a kernel has one to three positive sizes",
        actual=f"kernel: {shape_text(taps)}",
    )


def check_groups(inputs: int, outputs: int, groups: int) -> None:
    """Refuse channels that do not split into equal groups."""
    check_sizes(inputs=inputs, outputs=outputs, groups=groups)
    if inputs % groups or outputs % groups:
        raise LxcError(
            "LXC-E0101",
            "channels do not split into equal groups",
            expected=f"inputs and outputs divisible by {groups}",
            actual=f"inputs: {inputs}, outputs: {outputs}",
        )


def only_bias(use_bias: bool | None, bias: bool | None) -> bool:
    """Return whether there is a bias, or raise if it is said under both names."""
    if use_bias is not None and bias is not None:
        raise LxcError(
            "LXC-E0101",
            "use_bias is given twice",
            actual=f"use_bias={use_bias}, bias={bias}",
            hint="bias is an older name of use_bias; give use_bias only",
        )
    return chosen_bias(use_bias, bias)


@dataclass(frozen=True, init=False)
class Conv(Layer):
    """Return activation(w * x + bias), * the true convolution: the kernel is flipped.

    `x` is [N, inputs, *spatial] with one to three spatial axes, `weight` [outputs, inputs /
    groups, *kernel], `bias` (outputs,); all have one element type. The output is [N,
    outputs, *cells] with floor((size + pads - dilation * (k - 1) - 1) / stride) + 1 cells
    per axis. Block q of the output channels reads block q of the input channels. `pad` is
    a number, one per axis, (before, after) pairs per axis, or `SamePad()`.

    Raises LXC-E0101 for options that do not fit, LXC-E0103 for an input of another rank or
    with other channels, for a weight of another shape, and if the dilated kernel is larger
    than the padded input.

    Differs from torch.nn.Conv2d, which does not flip: this is Lux.jl's Conv. Flipping
    happens once, when parameters are prepared, never per call; `CrossCor` does not flip.
    Sizes and pads are in NumPy order, (h, w), the reverse of Lux.jl's (w, h). Weights start
    as `glorot_uniform` and biases as zeros, as Lux.jl documented them before version 1.0.
    """

    flips: ClassVar[bool] = True
    kernel: tuple[int, ...]
    inputs: int
    outputs: int
    activation: Activation
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Pairs
    groups: int
    use_bias: bool
    init_weight: Initializer
    init_bias: Initializer

    def __init__(
        self,
        kernel: Numbers,
        inputs: int,
        outputs: int,
        activation: Activation = identity,
        *,
        stride: Numbers = 1,
        pad: Numbers | SamePad = 0,
        dilation: Numbers = 1,
        groups: int = 1,
        use_bias: bool | None = None,
        bias: bool | None = None,
        init_weight: Initializer = glorot_uniform,
        init_bias: Initializer = zeros32,
        allow_fast_activation: bool = True,
    ) -> None:
        """Take kernel sizes in NumPy order ((h, w), (d, h, w)), channels, activation."""
        taps = kernel_sizes(kernel)
        check_groups(inputs, outputs, groups)
        strides = per_axis(stride, len(taps), "stride")
        dilations = per_axis(dilation, len(taps), "dilation")
        fields = {
            "kernel": taps,
            "inputs": int(inputs),
            "outputs": int(outputs),
            "activation": choose(activation, allow_fast_activation),
            "stride": strides,
            "dilation": dilations,
            "padding": self.pads(pad, taps, dilations, strides),
            "groups": int(groups),
            "use_bias": only_bias(use_bias, bias),
            "init_weight": init_weight,
            "init_bias": init_bias,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def pads(
        self,
        pad: Numbers | SamePad,
        kernel: Sequence[int],
        dilation: Sequence[int],
        stride: Sequence[int],
    ) -> Pairs:
        """Return (before, after) per spatial axis."""
        return pad_pairs(pad, kernel, dilation)

    @property
    def weight_channels(self) -> tuple[int, int]:
        """The first two sizes of the weight."""
        return self.outputs, self.inputs // self.groups

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weight and, if used, bias."""
        (first, second), taps = self.weight_channels, prod(self.kernel)
        shape = (first, second, *self.kernel)
        fans = (taps * second, taps * first)
        ps = {"weight": initialise(self.init_weight, rng, shape, fans)}
        if self.use_bias:
            fans = (1, self.outputs)
            ps["bias"] = initialise(self.init_bias, rng, (self.outputs,), fans)
        return ps

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the convolution plus bias, then the activation."""
        rank = len(self.kernel)
        if len(x.shape) != rank + 2 or x.shape[1] != self.inputs:
            raise Mismatch(
                "x",
                f"rank {rank + 2} with {self.inputs} channels on axis 1",
                shape_text(x.shape),
                because=f"the kernel is {shape_text(self.kernel)}",
            )
        check_weight(ps["weight"], (*self.weight_channels, *self.kernel))
        y = self.product(x, ps["weight"])
        if self.use_bias:
            y = ops.add(y, ops.reshape(ps["bias"], (self.outputs, *(1,) * rank)))
        return self.activation(y), st

    def product(self, x: Any, weight: Any) -> Any:
        """Return the convolution alone."""
        if self.flips:
            weight = ops.flip(weight, tuple(range(2, len(self.kernel) + 2)))
        return ops.conv(
            x,
            weight,
            strides=self.stride,
            padding=self.padding,
            rhs_dilation=self.dilation,
            groups=self.groups,
        )


@dataclass(frozen=True, init=False)
class CrossCor(Conv):
    """Return activation(w * x + bias), * the cross-correlation: `Conv` without the flip.

    Parameters, options, shapes and errors are those of `Conv`. It is what torch.nn.Conv2d
    computes. Differs from Lux.jl's CrossCor in taking `groups`, too.
    """

    flips: ClassVar[bool] = False
