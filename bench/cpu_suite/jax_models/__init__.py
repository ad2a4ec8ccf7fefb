"""The model families in JAX: from weights and options to a function of arrays."""

from cpu_suite.jax_models import images, operators, sequences
from cpu_suite.jax_models.parts import Function

FAMILIES: dict[str, Function] = {
    "affine": operators.affine,
    "attention": sequences.attention,
    "bert": sequences.bert,
    "classifier": sequences.classifier,
    "conv": operators.convolution,
    "dense": operators.dense,
    "digits": images.digits,
    "elementwise": operators.elementwise,
    "gpt": sequences.gpt,
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
