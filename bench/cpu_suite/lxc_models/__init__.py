"""The model families from lxc's layers: from options and weights to a model."""

from collections.abc import Callable, Mapping
from typing import Any

from cpu_suite.case import Array, Case
from cpu_suite.lxc_models import images, operators, sequences
from cpu_suite.lxc_models.operators import Model
from cpu_suite.lxc_models.trees import trees

FAMILIES: dict[str, Callable[..., Model]] = {
    "affine": operators.affine,
    "attention": sequences.attention,
    "bert": sequences.bert,
    "classifier": sequences.classifier,
    "conv": operators.convolution,
    "dense": operators.dense,
    "digits": images.digits,
    "elementwise": operators.elementwise,
    "gpt": sequences.decoder,
    "layer_norm": operators.layer_norm,
    "max_pool": operators.max_pool,
    "mean_embedding": operators.mean_embedding,
    "mlp": operators.perceptron,
    "mobilenet": images.mobilenet,
    "recurrent": sequences.recurrent,
    "residual": operators.residual,
    "resnet": images.resnet,
    "softmax": operators.softmax,
    "unet": images.unet,
}


def model_of(case: Case, weights: Mapping[str, Array]) -> Model:
    """Return the model of a case, and its parameters and state."""
    return FAMILIES[case.family](*trees(weights), **case.options)


def state_of(case: Case, st: Any, arrays: Mapping[str, Array]) -> tuple[Any, list[Array]]:
    """Return the state with what the case holds of it, and the arrays of that.

    An input `keys_3` that is state is the entry `keys` of the fourth layer.
    """
    held: list[dict[str, Array]] = []
    kept = []
    for name in (one.name for one in case.inputs if one.state):
        part, _, layer = name.rpartition("_")
        if int(layer) == len(held):
            held.append({})
        held[int(layer)][part] = arrays[name]
        kept.append(arrays[name])
    return (held if held else st), kept
