"""Kernels of every template and of plain loops, as the assembler for cards sees them."""

from collections.abc import Callable, Mapping

import pytest

from lxc.compilation import tensor_level
from lxc.ir.graph import Graph
from lxc.targets import TARGETS
from lxc.targets.compile import lowered_program, target_program
from lxc.targets.cuda.architectures import CARDS, SM_86, SM_90, Architecture
from lxc.targets.cuda.device_code import device_source
from lxc.targets.cuda.entry import LoweredForCard
from lxc.targets.cuda.images import TOOLKIT
from lxc.targets.cuda.kernel import DeviceKernel
from tests.cards.limits import check_fits
from tests.targets.test_hot_loops import MODELS

Models = Mapping[str, Callable[[], Graph]]
SOME = ("any batch", "pooling", "softmax", "layer norm")


def kernels_of(models: Models) -> list[DeviceKernel]:
    """Return the kernels of all models, under different names."""
    found, target = [], TARGETS["cuda"]
    for number, model in enumerate(models.values()):
        _, program = target_program(tensor_level(model()), target)
        lowered = lowered_program(program, target, f"model_{number}")
        assert isinstance(lowered, LoweredForCard)
        found += lowered.library.kernels
    return found


def check(models: Models, cards: tuple[Architecture, ...]) -> None:
    """Compile all kernels of models in one file for each of some cards."""
    kernels = kernels_of(models)
    source = device_source({one.name: one.function for one in kernels})
    for image in TOOLKIT.images(source, cards):
        for kernel in kernels:
            check_fits(kernel, image)


def test_cards_with_the_least_and_the_most_memory_take_the_kernels_of_some_models() -> None:
    check({name: MODELS[name] for name in SOME}, (SM_86, SM_90))


@pytest.mark.slow
def test_every_card_takes_the_kernels_of_all_models() -> None:
    check(MODELS, CARDS)
