"""The option --precision of verbs that compile."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from lxc.passes.precision import PrecisionPlan, plan_of


def precision_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--precision`; it gets the words as `precisions`."""
    return click.option(
        "--precision",
        "precisions",
        multiple=True,
        metavar="[LAYER=]PRECISION",
        help="Of products with weights: float32, tf32, bf16, int8; repeat it for layers.",
    )(function)


def plan_from(words: Sequence[str]) -> PrecisionPlan:
    """Return the plan of some words, `int8` or `head=float32`; of two alike the last."""
    pairs = [word.rpartition("=") for word in words]
    return plan_of({path: name for path, _, name in pairs})
