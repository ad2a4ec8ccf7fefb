"""Networks for images in torch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution that keeps the size, or divides it by `stride`."""
    pad = kernel // 2
    return nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions and a skip: the block of ResNet-18."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        """Take channels and stride."""
        super().__init__()
        self.conv1, self.norm1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.changes = stride != 1 or inputs != width
        if self.changes:
            self.conv0, self.norm0 = conv(inputs, width, 1, stride), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block of x."""
        kept = self.norm0(self.conv0(x)) if self.changes else x
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + kept)


class Bottleneck(nn.Module):
    """Three convolutions and a skip: the block of ResNet-50."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        """Take channels and stride; the output has 4 * width channels."""
        super().__init__()
        outputs = 4 * width
        self.conv1, self.norm1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.norm3 = conv(width, outputs, 1), nn.BatchNorm2d(outputs)
        self.changes = stride != 1 or inputs != outputs
        if self.changes:
            self.conv0 = conv(inputs, outputs, 1, stride)
            self.norm0 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block of x."""
        kept = self.norm0(self.conv0(x)) if self.changes else x
        y = functional.relu(self.norm1(self.conv1(x)))
        y = functional.relu(self.norm2(self.conv2(y)))
        return functional.relu(self.norm3(self.conv3(y)) + kept)


BLOCKS: dict[str, tuple[Callable[[int, int, int], nn.Module], int]] = {
    "basic": (BasicBlock, 1),
    "bottleneck": (Bottleneck, 4),
}


class ResNet(nn.Module):
    """A residual network for images of 1000 classes."""

    def __init__(self, block: str, depths: Sequence[int]) -> None:
        """Take the kind of block and how many of them each stage has."""
        super().__init__()
        make, growth = BLOCKS[block]
        self.conv, self.norm = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        blocks: list[nn.Module] = []
        inputs = 64
        for stage, depth in enumerate(depths):
            width = 64 * 2**stage
            for place in range(depth):
                stride = 2 if stage and not place else 1
                blocks.append(make(inputs, width, stride))
                inputs = width * growth
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = functional.relu(self.norm(self.conv(x)))
        x = self.blocks(functional.max_pool2d(x, 3, 2, 1))
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


class Inverted(nn.Module):
    """An inverted residual: widen, filter each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, widening: int) -> None:
        """Take channels, stride and how much wider the middle is."""
        super().__init__()
        hidden = inputs * widening
        self.widens = widening != 1
        if self.widens:
            self.conv1, self.norm1 = conv(inputs, hidden, 1), nn.BatchNorm2d(hidden)
        self.conv2 = conv(hidden, hidden, 3, stride, hidden)
        self.norm2 = nn.BatchNorm2d(hidden)
        self.conv3, self.norm3 = conv(hidden, outputs, 1), nn.BatchNorm2d(outputs)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the block of x."""
        y = functional.relu6(self.norm1(self.conv1(x))) if self.widens else x
        y = functional.relu6(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        return torch.add(x, y) if self.skips else y


class MobileNetV2(nn.Module):
    """MobileNetV2 of width 1 for 1000 classes."""

    def __init__(self, stages: Sequence[tuple[int, int, int, int]]) -> None:
        """Take (widening, channels, blocks, stride) of every stage."""
        super().__init__()
        self.conv, self.norm = conv(3, 32, 3, 2), nn.BatchNorm2d(32)
        blocks: list[nn.Module] = []
        inputs = 32
        for widening, width, depth, stride in stages:
            for place in range(depth):
                blocks.append(Inverted(inputs, width, 1 if place else stride, widening))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.last, self.last_norm = conv(inputs, 1280, 1), nn.BatchNorm2d(1280)
        self.head = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.blocks(functional.relu6(self.norm(self.conv(x))))
        x = functional.relu6(self.last_norm(self.last(x)))
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


class Double(nn.Module):
    """Two convolutions with norms: what a U-Net does at every level."""

    def __init__(self, inputs: int, width: int) -> None:
        """Take channels."""
        super().__init__()
        self.conv1, self.norm1 = conv(inputs, width, 3), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = conv(width, width, 3), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved x."""
        x = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    """A U-Net: halves the size level by level, and goes back with skips."""

    def __init__(self, width: int, levels: int, classes: int) -> None:
        """Take the channels of the first level, the number of levels, the classes."""
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.down = nn.ModuleList(map(Double, [3, *widths[:-1]], widths))
        pairs = list(zip(widths[1:], widths[:-1], strict=True))[::-1]
        self.up = nn.ModuleList([nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs])
        self.join = nn.ModuleList([Double(2 * b, b) for _, b in pairs])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a score per pixel and class."""
        kept = []
        for level in self.down[:-1]:
            x = level(x)
            kept.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.down[-1](x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        scores: Tensor = self.head(x)
        return scores


class Digits(nn.Module):
    """A convolution, a pool and a dense layer on very small images."""

    def __init__(self, width: int) -> None:
        """Take the channels between the two layers; images are [N, 1, 8, 8]."""
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.head = nn.Linear(width * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = functional.max_pool2d(functional.relu(self.conv(x)), 2)
        logits: Tensor = self.head(torch.flatten(x, 1))
        return logits
