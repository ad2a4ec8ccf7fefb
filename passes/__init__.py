"""Passes: a graph in, a better graph out. The table of all of them, and the pipelines."""

from collections.abc import Iterable

from lxc.errors import LxcError, one_of
from lxc.passes.assign_layouts import assign_for, assign_layouts
from lxc.passes.canonicalise import canonicalise
from lxc.passes.channels_last import channels_last, channels_last_for
from lxc.passes.choices import Choices
from lxc.passes.decision import Decision
from lxc.passes.eliminate_common import eliminate_common
from lxc.passes.eliminate_dead import eliminate_dead
from lxc.passes.explicit_padding import explicit_padding, pad_for
from lxc.passes.flatten_chains import flatten_chains
from lxc.passes.fold_constants import fold_constants
from lxc.passes.fold_norms import fold_norms
from lxc.passes.fuse import PORTABLE, explain, fuse, fuse_recorded
from lxc.passes.fuse_attention import fuse_attention, fuse_attention_recorded
from lxc.passes.halve_attention import halve_attention, halve_for
from lxc.passes.hoist_prepare import hoist_prepare
from lxc.passes.hoist_products import hoist_for, hoist_products
from lxc.passes.inline_layers import inline_layers
from lxc.passes.lower_precision import lower_for, lower_precision
from lxc.passes.manager import Outcome, Step, run_passes
from lxc.passes.merge_products import merge_products, merge_products_recorded
from lxc.passes.pack_panels import pack_panels, pack_panels_for
from lxc.passes.pack_weights import pack_for, pack_weights
from lxc.passes.part_channels import part_channels, part_for
from lxc.passes.plan_memory import plan_memory
from lxc.passes.remove_noops import remove_noops
from lxc.passes.select_algorithms import select_algorithms, select_for
from lxc.passes.share_halo import share_halo
from lxc.passes.single_pass import Pass, entry
from lxc.passes.split_phases import split_phases
from lxc.passes.stage_groups import stage_for, stage_groups
from lxc.passes.unwrap_single import unwrap_single

LAYERS = ("one-graph", "unfused")
TENSOR = ("one-graph", "tensor-level", "unfused")

PASSES: dict[str, Pass] = {
    one.name: one
    for one in (
        entry(flatten_chains, requires=LAYERS, guarantees=("flat-chains",)),
        entry(remove_noops, requires=LAYERS),
        entry(unwrap_single, requires=LAYERS),
        entry(inline_layers, requires=LAYERS, guarantees=("tensor-level",)),
        entry(canonicalise, requires=TENSOR),
        entry(fold_constants, requires=TENSOR),
        entry(eliminate_common, requires=TENSOR),
        entry(eliminate_dead, requires=TENSOR),
        entry(fold_norms, requires=TENSOR),
        entry(split_phases, requires=TENSOR),
        entry(explicit_padding, requires=TENSOR, guarantees=("unpadded",), run=pad_for),
        entry(lower_precision, requires=TENSOR, run=lower_for),
        entry(channels_last, requires=TENSOR, run=channels_last_for),
        entry(assign_layouts, requires=TENSOR, run=assign_for),
        entry(stage_groups, requires=TENSOR, run=stage_for),
        entry(merge_products, requires=TENSOR, run=merge_products_recorded),
        entry(fuse_attention, requires=TENSOR, run=fuse_attention_recorded),
        entry(halve_attention, requires=TENSOR, run=halve_for),
        entry(hoist_products, requires=TENSOR, run=hoist_for),
        entry(pack_weights, requires=TENSOR, guarantees=("packed",), run=pack_for),
        entry(pack_panels, requires=TENSOR, run=pack_panels_for),
        entry(select_algorithms, requires=TENSOR, run=select_for),
        entry(part_channels, requires=TENSOR, run=part_for),
        entry(share_halo, requires=TENSOR),
        entry(
            fuse, requires=(*TENSOR, "unpadded"), guarantees=("kernels",), run=fuse_recorded
        ),
        entry(
            hoist_prepare,
            requires=("one-graph", "tensor-level"),
            guarantees=("split", "tensor-level"),
        ),
        entry(plan_memory, requires=("kernels",), guarantees=("planned", "kernels")),
    )
}

LAYER_PIPELINE = ("flatten-chains", "remove-noops", "unwrap-single", "inline-layers")
"""From the layers of a model to its operations."""

TENSOR_PIPELINE = (
    "canonicalise",
    "fold-constants",
    "eliminate-common",
    "eliminate-dead",
    "fold-norms",
    "eliminate-common",
    "eliminate-dead",
)
"""What every target starts from."""

TARGET_PIPELINE = (
    "split-phases",
    "explicit-padding",
    "lower-precision",
    "assign-layouts",
    "stage-groups",
    "merge-products",
    "fuse-attention",
    "hoist-products",
    "pack-weights",
    "pack-panels",
    "select-algorithms",
    "eliminate-common",
    "part-channels",
    "share-halo",
    "eliminate-dead",
    "fuse",
    "hoist-prepare",
    "plan-memory",
)
"""From there to kernels with memory, for processors."""

CARD_PIPELINE = (
    "split-phases",
    "explicit-padding",
    "lower-precision",
    "channels-last",
    "merge-products",
    "fuse-attention",
    "halve-attention",
    "hoist-products",
    "eliminate-common",
    "eliminate-dead",
    "fuse",
    "hoist-prepare",
    "plan-memory",
)
"""The same for cards, whose convolutions keep channels last."""


def passes_named(names: Iterable[str]) -> tuple[Pass, ...]:
    """Return the passes with these names, or raise for a name that no pass has."""
    chosen = list(names)
    for name in chosen:
        if name not in PASSES:
            raise LxcError(
                "LXC-E0203",
                f"there is no pass {name!r}",
                hint=f"it is {one_of(list(PASSES))}",
            )
    return tuple(PASSES[name] for name in chosen)


__all__ = [
    "CARD_PIPELINE",
    "LAYER_PIPELINE",
    "PASSES",
    "PORTABLE",
    "TARGET_PIPELINE",
    "TENSOR_PIPELINE",
    "Choices",
    "Decision",
    "Outcome",
    "Pass",
    "Step",
    "explain",
    "fuse",
    "hoist_prepare",
    "passes_named",
    "plan_memory",
    "run_passes",
]
