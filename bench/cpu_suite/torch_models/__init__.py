"""The model families in torch: from the options of a case to a module."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from cpu_suite.case import Case
from cpu_suite.torch_models.images import Digits, MobileNetV2, ResNet, UNet
from cpu_suite.torch_models.operators import (
    Affine,
    Convolution,
    Elementwise,
    MeanEmbedding,
    Perceptron,
    Residual,
)
from cpu_suite.torch_models.sequences import (
    Attention,
    Classifier,
    Decoder,
    Recurrent,
    Stack,
)

FAMILIES: dict[str, Callable[..., nn.Module]] = {
    "affine": Affine,
    "attention": Attention,
    "bert": Stack,
    "classifier": Classifier,
    "conv": Convolution,
    "dense": nn.Linear,
    "digits": Digits,
    "elementwise": Elementwise,
    "gpt": Decoder,
    "layer_norm": nn.LayerNorm,
    "max_pool": nn.MaxPool2d,
    "mean_embedding": MeanEmbedding,
    "mlp": Perceptron,
    "mobilenet": MobileNetV2,
    "recurrent": Recurrent,
    "residual": Residual,
    "resnet": ResNet,
    "softmax": partial(nn.Softmax, -1),
    "unet": UNet,
}


def module_of(case: Case) -> nn.Module:
    """Return the model of a case with its weights, the same in every process."""
    torch.manual_seed(0)
    module = FAMILIES[case.family](**case.options)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            scatter(part)
    return module.eval()


def scatter(norm: nn.BatchNorm2d) -> None:
    """Give a norm statistics and parameters that change what they meet."""
    mean, var = norm.running_mean, norm.running_var
    if mean is not None and var is not None:
        mean.normal_(0, 0.1)
        var.uniform_(0.8, 1.2)
    nn.init.uniform_(norm.weight, 0.8, 1.2)
    nn.init.normal_(norm.bias, 0, 0.1)
