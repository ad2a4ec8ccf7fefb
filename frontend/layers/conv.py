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
from lxc.frontend.layers.linear import check_sizes, chosen_bias
from lxc.frontend.padding import Pairs, SamePad, pad_pairs, per_axis
from lxc.ir import functions as ops
from lxc.ir.types import shape_text


def kernel_sizes(kernel: int | Sequence[int]) -> tuple[int, ...]:
    """Return one size per spatial axis, or raise if there are too few or too many."""
    taps = (kernel,) if isinstance(kernel, int) else tuple(kernel)
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


@dataclass(frozen=True, init=False)
class Conv(Layer):
    """Return the true convolution of x [N, inputs, *spatial], the kernel flipped in space.

    `weight` is [outputs, inputs / groups, *kernel], `bias` (outputs,). The output has
    floor((size + pads - dilation * (k - 1) - 1) / stride) + 1 cells per axis. Flipping
    happens once, when parameters are prepared, never per call. `CrossCor` does not flip.
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
        kernel: int | Sequence[int],
        inputs: int,
        outputs: int,
        activation: Activation = identity,
        *,
        stride: int | Sequence[int] = 1,
        pad: int | Sequence[int] | SamePad = 0,
        dilation: int | Sequence[int] = 1,
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
        dilations = per_axis(dilation, len(taps), "dilation")
        fields = {
            "kernel": taps,
            "inputs": inputs,
            "outputs": outputs,
            "activation": choose(activation, allow_fast_activation),
            "stride": per_axis(stride, len(taps), "stride"),
            "dilation": dilations,
            "padding": pad_pairs(pad, taps, dilations),
            "groups": groups,
            "use_bias": chosen_bias(use_bias, bias),
            "init_weight": init_weight,
            "init_bias": init_bias,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def init_params(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return weight and, if used, bias."""
        inputs, taps = self.inputs // self.groups, prod(self.kernel)
        fans = (taps * inputs, taps * self.outputs)
        shape = (self.outputs, inputs, *self.kernel)
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
        weight = ps["weight"]
        if self.flips:
            weight = ops.flip(weight, tuple(range(2, rank + 2)))
        y = ops.conv(
            x,
            weight,
            strides=self.stride,
            padding=self.padding,
            rhs_dilation=self.dilation,
            groups=self.groups,
        )
        if self.use_bias:
            y = ops.add(y, ops.reshape(ps["bias"], (self.outputs, *(1,) * rank)))
        return self.activation(y), st


@dataclass(frozen=True, init=False)
class CrossCor(Conv):
    """Return the cross-correlation of x [N, inputs, *spatial]: `Conv` without the flip."""

    flips: ClassVar[bool] = False
