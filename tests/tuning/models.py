"""Small models with kernels that can be computed in several ways."""

from typing import Any

import numpy as np

import lxc
from lxc import nn
from lxc.compilation import tensor_level
from lxc.ir.graph import Graph
from lxc.passes.records import Answer, Record, Records
from lxc.targets import targets_named

LEVEL = "x86-64-v2"
TARGETS = targets_named(LEVEL)

PRODUCTS = nn.Chain(nn.Dense(24, 70, nn.gelu), nn.Dense(70, 35))
"""Two products, the first with a long end."""
STRIDED = nn.Conv((3, 3), 16, 24, nn.relu, stride=2)
SQUARE = nn.Conv((3, 3), 8, 8, nn.relu)
"""A convolution with several algorithms."""


def drawn(*shape: int) -> Any:
    """Return numbers; the same every time."""
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def flat(model: Any, *shape: Any) -> Graph:
    """Return a model's graph as every target starts from it."""
    ps, st = lxc.setup(0, model)
    return tensor_level(lxc.trace(model, lxc.TensorSpec(shape), ps, st))


def record_of(answer: Answer, choice: str) -> Record:
    """Return a record that asks for one of the options."""
    subject = answer.subject
    about = subject.about, subject.machine, subject.line
    times = {answer.options[0]: 2000, choice: 1000}
    return Record(*about, choice, answer.options[0], times)


def forced(records: Records, answer: Answer, place: int) -> Records:
    """Return records that ask for the option at a place, or for the last one."""
    choice = answer.options[min(place, len(answer.options) - 1)]
    return records.with_record(answer, record_of(answer, choice))
