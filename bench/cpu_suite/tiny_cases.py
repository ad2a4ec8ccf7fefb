"""Models so small that calling them is most of the work."""

from typing import Any

from cpu_suite.case import Case, Input


def tiny(name: str, family: str, *shape: int, **options: Any) -> Case:
    """Return a case with one input of floats."""
    return Case(f"tiny/{name}", family, (Input("x", shape),), options)


TINY: tuple[Case, ...] = (
    tiny("dense 8-8", "dense", 1, 8, in_features=8, out_features=8),
    tiny("logistic 30", "mlp", 1, 30, sizes=(30, 1), last="sigmoid"),
    tiny("mlp 4-16-3", "mlp", 1, 4, sizes=(4, 16, 3)),
    tiny("mlp 16-32-32-10", "mlp", 1, 16, sizes=(16, 32, 32, 10)),
    tiny("mlp tanh 8-64-1", "mlp", 1, 8, sizes=(8, 64, 1), activation="tanh"),
    tiny("mlp b16 8-32-4", "mlp", 16, 8, sizes=(8, 32, 4)),
    tiny("autoencoder 32-4-32", "mlp", 1, 32, sizes=(32, 4, 32), last="sigmoid"),
    tiny("residual 16", "residual", 1, 16, features=16, hidden=32),
    tiny("softmax 10", "softmax", 1, 10),
    tiny("layernorm 64", "layer_norm", 1, 64, normalized_shape=64),
    tiny("affine 32", "affine", 1, 32, features=32),
    tiny("gelu 256", "elementwise", 1, 256, function="gelu"),
    tiny(
        "conv 1-4 8x8",
        "conv",
        *(1, 1, 8, 8),
        inputs=1,
        outputs=4,
        kernel=3,
        pad=1,
        activation="relu",
    ),
    tiny(
        "depthwise 8 8x8",
        "conv",
        *(1, 8, 8, 8),
        inputs=8,
        outputs=8,
        kernel=3,
        pad=1,
        groups=8,
    ),
    tiny(
        "conv1d 4-8 32",
        "conv",
        *(1, 4, 32),
        inputs=4,
        outputs=8,
        kernel=5,
        pad=2,
        rank=1,
    ),
    tiny("maxpool 4 8x8", "max_pool", 1, 4, 8, 8, kernel_size=2),
    tiny("digits 8x8", "digits", 1, 1, 8, 8, width=4),
    Case(
        "tiny/embedding mean",
        "mean_embedding",
        (Input("ids", (1, 8), 100),),
        {"vocab": 100, "features": 16},
    ),
    Case(
        "tiny/lstm step 16",
        "recurrent",
        (Input("x", (1, 1, 8)),),
        {"cell": "lstm", "inputs": 8, "hidden": 16},
        2 * 4 * 16 * 24,
    ),
    tiny("attention 8x16", "attention", 1, 8, 16, width=16, heads=2),
)
