"""Models that users get wrong, each as a function that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc import flat_names, kaun, nn, tree_of
from lxc.frontend import setup, trace_layer
from lxc.frontend.kaun import trace_kaun
from lxc.ir import Dim, TensorSpec
from lxc.ir import functions as ops
from lxc.tracing import trace

WRONG: dict[str, Callable[[], object]] = {}


def wrong(model: Callable[[], object]) -> Callable[[], object]:
    """Enter a model into the list under its name."""
    WRONG[model.__name__] = model
    return model


def traced(model: Any, *shape: Any) -> object:
    """Trace a layer of the Lux family on an input of a shape."""
    return trace_layer(model, TensorSpec(shape), *setup(0, model))


@wrong
def dense_gets_too_few_features() -> object:
    return traced(nn.Chain(nn.Dense(4, 3), nn.Dense(4, 2)), 8, 4)


@wrong
def conv_gets_other_channels() -> object:
    return traced(nn.Chain(body=nn.Conv((3, 3), 3, 8), head=nn.FlattenLayer()), 1, 1, 8, 8)


@wrong
def kernel_is_larger_than_the_image() -> object:
    return traced(nn.Conv((5, 5), 1, 1), 1, 1, 4, 8)


@wrong
def groups_do_not_divide_channels() -> object:
    return nn.Conv((3, 3), 3, 10, groups=3)


@wrong
def pads_are_neither_n_nor_2n() -> object:
    return nn.Conv((3, 3), 1, 1, pad=(1, 2, 3))


@wrong
def pool_pads_past_its_window() -> object:
    return nn.MaxPool((2, 2), pad=2)


@wrong
def bias_is_given_twice() -> object:
    return nn.Dense(2, 3, use_bias=True, bias=False)


@wrong
def branches_on_a_number() -> object:
    def clipped(x: Any) -> Any:
        return x if ops.max(x) < 1 else x / ops.max(x)

    return traced(nn.Chain(nn.Dense(2, 2), clipped), 4, 2)


@wrong
def calls_a_numpy_function_that_is_missing() -> object:
    return traced(nn.Chain(nn.Dense(2, 2), np.spacing), 4, 2)


@dataclass(frozen=True)
class Forgetful(nn.Layer):
    """A layer that loses an entry of its state."""

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"steps": np.zeros((), np.int32), "training": True}

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        return x, {"steps": st["steps"] + 1}


@wrong
def state_loses_an_entry() -> object:
    return traced(nn.Chain(nn.Dense(2, 2), Forgetful()), 4, 2)


@wrong
def parameters_of_another_model() -> object:
    model = nn.Chain(nn.Dense(2, 2), nn.BatchNorm(2))
    ps, st = setup(0, model)
    return model(np.zeros((1, 2), np.float32), {"layer_1": ps["layer_1"]}, st)


@wrong
def shapes_do_not_broadcast() -> object:
    return traced(nn.SkipConnection(nn.Dense(3, 4), ops.add), 2, 3)


@wrong
def one_dimension_has_two_ranges() -> object:
    model = nn.Parallel(ops.add, nn.NoOpLayer(), nn.NoOpLayer())
    x = (TensorSpec((Dim("N", 1, 4), 2)), TensorSpec((Dim("N", 1, 8), 2)))
    return trace_layer(
        model, x, {"layer_1": {}, "layer_2": {}}, {"layer_1": {}, "layer_2": {}}
    )


@wrong
def batch_norm_on_the_wrong_axis() -> object:
    return traced(nn.Chain(nn.Dense(4, 3), nn.BatchNorm(3)), 2, 5, 4)


@wrong
def named_chain_is_to_be_simplified() -> object:
    return nn.Chain(head=nn.Dense(2, 2), disable_optimizations=False)


@wrong
def kaun_dropout_has_no_key() -> object:
    model = kaun.sequential([kaun.linear(2, 2), kaun.dropout(0.5)])
    return trace_kaun(model, TensorSpec((4, 2)), kaun.init(model), training=True)


@wrong
def kaun_input_has_another_type() -> object:
    model = kaun.compose(kaun.flatten(), kaun.linear(4, 2))
    return kaun.apply(model, kaun.init(model), np.zeros((1, 2, 2)))


@wrong
def kaun_variables_are_too_few() -> object:
    model = kaun.sequential([kaun.linear(2, 2), kaun.relu()])
    vars = kaun.init(model)
    return kaun.apply(model, vars.with_state([]), np.zeros((1, 2), np.float32))


@wrong
def kaun_key_is_no_key() -> object:
    model = kaun.dropout(0.5)
    x = np.zeros((1, 2), np.float32)
    return kaun.apply(model, kaun.init(model), x, training=True, rngs=np.array([1, 2]))


@wrong
def kaun_context_lacks_a_tensor() -> object:
    return kaun.Context.empty.set("token_type_ids", np.zeros(2)).get("attention_mask")


@wrong
def a_function_returns_nothing() -> object:
    def forgets(x: Any) -> Any:
        ops.exp(x)

    return traced(nn.Chain(nn.Dense(2, 2), forgets), 4, 2)


@wrong
def a_model_returns_text() -> object:
    return trace(lambda x: f"an array of {x.ndim} axes", TensorSpec((4, 2)), {}, {})


@wrong
def a_model_passes_nothing_on() -> object:
    return trace(nn.NoOpLayer(), (), {}, {})


@wrong
def kaun_layer_returns_nothing() -> object:
    def apply(params: Any, state: Any, dtype: Any, training: bool, x: Any) -> Any:
        return None, state

    model = kaun.sequential([kaun.linear(2, 2), kaun.Layer(kaun.relu().init, apply)])
    return trace(model, TensorSpec((4, 2)), kaun.init(model))


@wrong
def kaun_apply_has_another_signature() -> object:
    def apply(params: Any, x: Any) -> Any:
        return x

    return kaun.Layer(kaun.relu().init, apply)


@wrong
def writes_into_its_input() -> object:
    def clears(x: Any) -> Any:
        x[:, 0] = 0
        return x

    return traced(nn.Chain(nn.Dense(2, 2), clears), 4, 2)


@wrong
def model_and_seed_are_swapped() -> object:
    return setup(nn.Dense(2, 2), 0)  # type: ignore[arg-type]


@wrong
def model_is_a_name() -> object:
    return setup(0, "model")


@wrong
def kaun_model_is_set_up_by_the_other_family() -> object:
    return setup(0, kaun.relu())


@wrong
def freezes_what_is_not_there() -> object:
    return setup(0, nn.freeze(nn.Chain(nn.Dense(2, 2), nn.Dense(2, 2)), "layer_1.wieght"))


@wrong
def frozen_layer_gets_all_parameters() -> object:
    model = nn.Dense(2, 2)
    ps, st = setup(0, model)
    frozen, _, state = nn.freeze(model, ps, st, "weight")
    return frozen(np.zeros((1, 2), np.float32), ps, state)


@wrong
def unfreezes_what_is_not_frozen() -> object:
    return nn.unfreeze(nn.Dense(2, 2))


@wrong
def loads_parameters_of_another_model() -> object:
    ps, _ = setup(0, nn.Chain(nn.Dense(3, 4), nn.Dense(4, 2)))
    theirs = {
        "layer_1.kernel": np.zeros((4, 3), np.float32),
        "layer_1.bias": np.zeros((4, 1)),
        "layer_2.weight": np.zeros((4, 2), np.float32),
        "layer_2.bias": np.zeros(2, np.int32),
        "optimizer.step": np.zeros(1),
    }
    return tree_of(theirs, ps)


@wrong
def renames_what_is_not_there() -> object:
    ps, _ = setup(0, nn.Chain(nn.Dense(3, 4), nn.Dense(4, 2)))
    return flat_names(ps, rename={"layer_1.wieght": "encoder.weight"})


@wrong
def renames_two_leaves_alike() -> object:
    ps, _ = setup(0, nn.Dense(3, 4))
    return flat_names(ps, rename=lambda name: "w")


@wrong
def bilinear_inputs_have_other_batches() -> object:
    model = nn.Chain(nn.BranchLayer(nn.NoOpLayer(), nn.FlattenLayer()), nn.Bilinear(4, 2))
    return traced(model, 3, 2, 4)


@wrong
def bilinear_has_three_inputs() -> object:
    return nn.Bilinear((2, 3, 4), 5)


@wrong
def embedding_gets_floats() -> object:
    return traced(nn.Chain(nn.Embedding(10, 4), nn.FlattenLayer()), 3)


@wrong
def embedding_gets_an_id_past_its_table() -> object:
    model = nn.Chain(nn.Embedding(10, 4), nn.FlattenLayer())
    return model(np.array([0, 10, -1]), *setup(0, model))


@wrong
def scale_has_no_sizes() -> object:
    return nn.Scale(nn.relu)


@wrong
def scale_has_its_activation_first() -> object:
    return nn.Scale(nn.relu, 2)


@wrong
def select_past_the_end() -> object:
    return traced(nn.Chain(nn.Dense(4, 3), nn.SelectDim(1, 3)), 2, 4)


@wrong
def maxout_of_nothing() -> object:
    return nn.Maxout()


@wrong
def groups_of_a_norm_do_not_divide_channels() -> object:
    return nn.GroupNorm(10, 4)


@wrong
def instance_norm_behind_dense() -> object:
    return traced(nn.Chain(nn.Dense(784, 64), nn.InstanceNorm(64, nn.relu)), 2, 784)


@wrong
def layer_norm_of_another_shape() -> object:
    return traced(nn.Chain(nn.Dense(4, 3), nn.LayerNorm(4, dims=-1)), 2, 4)


@wrong
def weight_norm_of_a_zero_bias() -> object:
    return setup(0, nn.WeightNorm(nn.Dense(2, 3), ("weight", "bias")))


@wrong
def weight_norm_of_an_unknown_parameter() -> object:
    return setup(0, nn.WeightNorm(nn.Dense(2, 3), ("kernel",)))


@wrong
def weight_norm_has_too_few_dims() -> object:
    return nn.WeightNorm(nn.Dense(2, 3), ("weight", "bias"), (0,))


@wrong
def dropout_more_often_than_always() -> object:
    return nn.AlphaDropout(1.5)


@wrong
def transposed_pads_crop_everything() -> object:
    return traced(nn.Chain(grow=nn.ConvTranspose((2, 2), 3, 1, pad=4)), 1, 3, 8, 4)


@wrong
def conv_bias_is_given_twice() -> object:
    return nn.Conv((3, 3), 1, 1, use_bias=True, bias=True)


@wrong
def adaptive_pool_of_a_small_image() -> object:
    return traced(nn.Chain(nn.AdaptiveMeanPool((7, 7)), nn.FlattenLayer()), 1, 3, 6, 8)


@wrong
def adaptive_pool_of_an_unknown_size() -> object:
    return traced(nn.Chain(down=nn.AdaptiveMaxPool((2, 2))), 1, 3, Dim("H", 4, 8), 8)


@wrong
def upsampling_has_neither_scale_nor_size() -> object:
    return nn.Upsample("bilinear")


@wrong
def upsampling_to_a_size_that_is_no_multiple() -> object:
    return traced(nn.Chain(grow=nn.Upsample("nearest", size=6)), 1, 3, 4, 4)


@wrong
def upsampling_gets_another_rank() -> object:
    return traced(nn.Chain(grow=nn.Upsample("linear", scale=2)), 1, 3, 4, 4)


@wrong
def shuffled_channels_do_not_divide() -> object:
    return traced(nn.Chain(grow=nn.PixelShuffle(2)), 1, 6, 4, 4)


def opened(function: Callable[[Any], Any], *shape: Any) -> object:
    """Trace a function on an input whose batch is open."""
    return traced(nn.Chain(use=nn.WrappedFunction(function)), *shape)


OPEN = Dim("N", 1, 64)


@wrong
def size_that_is_open_is_compared() -> object:
    return opened(lambda x: x if x.shape[0] > 3 else -x, OPEN, 4)


@wrong
def size_that_is_open_is_looped_over() -> object:
    return opened(lambda x: [x[n] for n in range(x.shape[0])], OPEN, 4)


@wrong
def slice_may_pass_the_end_of_an_open_axis() -> object:
    return opened(lambda x: x[:10], OPEN, 4)


@wrong
def open_axis_may_not_split_evenly() -> object:
    return opened(lambda x: ops.split(x, 2), OPEN, 4)


@wrong
def array_meets_an_open_axis() -> object:
    return opened(lambda x: x + np.ones((8, 1), np.float32), OPEN, 4)


@wrong
def array_is_as_long_as_an_open_axis() -> object:
    return opened(lambda x: x * np.zeros((x.shape[0], 1), np.float32), OPEN, 4)


@wrong
def dense_layer_behind_an_open_image() -> object:
    model = nn.Chain(flat=nn.FlattenLayer(), head=nn.Dense(48, 2))
    return traced(model, OPEN, 3, Dim("H", 1, 8), 4)


@wrong
def nearest_cells_fill_a_size_from_an_open_one() -> object:
    model = nn.Chain(grow=nn.Upsample("nearest", size=8), end=nn.NoOpLayer())
    return traced(model, 1, 3, Dim("H", 1, 8), 8)
