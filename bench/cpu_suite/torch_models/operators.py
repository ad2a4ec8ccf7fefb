"""Single operators and small feed-forward models in torch."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "none": lambda x: x,
}
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}


class Elementwise(nn.Module):
    """A function without parameters."""

    def __init__(self, function: str) -> None:
        """Take the name of an activation."""
        super().__init__()
        self.function = ACTIVATIONS[function]

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of every element."""
        return self.function(x)


class Convolution(nn.Module):
    """A convolution and an activation."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        pad: int = 0,
        groups: int = 1,
        rank: int = 2,
        activation: str = "none",
    ) -> None:
        """Take sizes; `rank` is the number of spatial axes."""
        super().__init__()
        make = CONVOLUTIONS[rank]
        self.conv = make(inputs, outputs, kernel, stride, pad, groups=groups)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved x."""
        return self.activation(self.conv(x))


class Perceptron(nn.Module):
    """Dense layers with an activation between them."""

    def __init__(
        self, sizes: Sequence[int], activation: str = "relu", last: str = "none"
    ) -> None:
        """Take the number of features at the ends of each layer."""
        super().__init__()
        self.dense = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(sizes)])
        self.activation, self.last = ACTIVATIONS[activation], ACTIVATIONS[last]

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the last layer."""
        for dense in self.dense[:-1]:
            x = self.activation(dense(x))
        return self.last(self.dense[-1](x))


class Affine(nn.Module):
    """A factor and a summand for each feature."""

    def __init__(self, features: int) -> None:
        """Take the number of features."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features))
        self.bias = nn.Parameter(torch.randn(features))

    def forward(self, x: Tensor) -> Tensor:
        """Return x * weight + bias."""
        return x * self.weight + self.bias


class Residual(nn.Module):
    """A skip around two dense layers, and a norm behind it."""

    def __init__(self, features: int, hidden: int) -> None:
        """Take the features outside and inside."""
        super().__init__()
        self.up = nn.Linear(features, hidden)
        self.down = nn.Linear(hidden, features)
        self.norm = nn.LayerNorm(features)

    def forward(self, x: Tensor) -> Tensor:
        """Return norm(x + down(relu(up(x))))."""
        normed: Tensor = self.norm(x + self.down(functional.relu(self.up(x))))
        return normed


class MeanEmbedding(nn.Module):
    """The mean of the rows of a table."""

    def __init__(self, vocab: int, features: int) -> None:
        """Take the sizes of the table."""
        super().__init__()
        self.embedding = nn.Embedding(vocab, features)

    def forward(self, ids: Tensor) -> Tensor:
        """Return one row per row of ids."""
        mean: Tensor = self.embedding(ids).mean(1)
        return mean
