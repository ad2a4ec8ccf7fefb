"""Kaun's layers that users get wrong: functions that fail."""

from collections.abc import Callable

import numpy as np

from lxc import kaun
from lxc.ir import TensorSpec
from lxc.tracing import trace

WRONG_KAUN: dict[str, Callable[[], object]] = {}


def wrong(model: Callable[[], object]) -> Callable[[], object]:
    """Enter a model into the list under its name."""
    WRONG_KAUN[model.__name__] = model
    return model


@wrong
def kaun_heads_do_not_divide() -> object:
    return kaun.multi_head_attention(embed_dim=256, num_heads=8, num_kv_heads=3)


@wrong
def kaun_heads_have_odd_sizes_to_turn() -> object:
    return kaun.multi_head_attention(embed_dim=12, num_heads=4, rope=True)


@wrong
def kaun_mask_of_floats() -> object:
    model = kaun.compose(kaun.embedding(10, 4), kaun.multi_head_attention(4, 2))
    ctx = kaun.Context.empty.set(kaun.attention_mask_key, np.ones((2, 3)))
    return trace(model, TensorSpec((2, 3), "int32"), kaun.init(model), ctx=ctx)


@wrong
def kaun_ids_are_int64() -> object:
    model = kaun.compose(kaun.embedding(10, 4), kaun.linear(4, 2))
    return kaun.apply(model, kaun.init(model), np.array([1, 2]))


@wrong
def kaun_padding_has_another_name() -> object:
    return kaun.conv1d(1, 1, padding="full")  # type: ignore[arg-type]


@wrong
def kaun_input_is_a_list() -> object:
    model = kaun.linear(2, 1)
    return kaun.predict(model, kaun.init(model), [[1.0, 2.0]])


@wrong
def kaun_parameter_is_missing() -> object:
    model = kaun.sequential([kaun.relu(), kaun.linear(2, 1)])
    vars = kaun.init(model)
    weight = {"weight": vars.params[1]["weight"]}
    return kaun.predict(model, vars.with_params([[], weight]), np.ones((1, 2), np.float32))


@wrong
def kaun_parameters_have_another_type() -> object:
    model = kaun.layer_norm(2)
    vars = kaun.init(model)
    wide = kaun.init(model, "float64")
    x = np.ones((1, 2), np.float32)
    return kaun.predict(model, vars.with_params(wide.params), x)
