"""A small model for cards whose entries and kernels are written by hand."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from lxc.runtime import CompiledModel, artifact, checkpoint
from lxc.runtime.cards import CardArray
from lxc.runtime.cards.engine import CardEngine
from lxc.runtime.cards.leaves import Leaves
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature
from lxc.targets.cuda.architectures import SM_90
from lxc.targets.cuda.face import KernelRow, render_for_card
from lxc.targets.cuda.images import Image
from lxc.targets.llvm.c_abi import Sources
from lxc.targets.llvm.link import link_shared
from tests.cards.emulated import compiled, driver, program
from tests.runtime.conftest import toy_trees
from tests.targets.toy import compile_c, toy_signature

ENTRIES = Path(__file__).parent / "entries"
ROWS = 64
ARENA_BYTES = ROWS * 16
NAMES = ("toy_0", "toy_1", "toy_2")


@cache
def image() -> bytes:
    """Return the kernels as an image that the driver of these tests loads."""
    return compiled(program((ENTRIES / "toy.cu").read_text("ascii")))


def sources() -> Sources:
    """Return header and source of the model."""
    kernels = [KernelRow(name, 128, 0) for name in NAMES]
    images = [Image(SM_90, image())]
    return render_for_card("toy", toy_signature(), 16, ARENA_BYTES, kernels, images)


@cache
def library(entries: str = "toy") -> bytes:
    """Return the library of the model, with the entries of a file."""
    with TemporaryDirectory() as folder:
        code = compile_c(ENTRIES / f"{entries}.c", Path(folder))
    return link_shared(code, sources(), "toy")


def encoded(
    signature: Signature | None = None, *, entries: str = "toy", **changes: Any
) -> bytes:
    """Return an artifact that holds code for cards only."""
    record = TargetRecord(
        name="cuda",
        triple="x86_64-linux-gnu",
        features=(),
        prepared_bytes=16,
        arena_bytes=ARENA_BYTES,
        images=("sm_90a",),
        driver=12000,
    )
    params, state = toy_trees()
    arrays = {
        "params": {f"layer.{name}": array for name, array in params["layer"].items()},
        "state": {"norm.mean": state["norm"]["mean"], "count": state["count"]},
        "data": {"one": np.ones(4, np.float32)},
    }
    members = {f"{name}.safetensors": checkpoint.encode(arrays[name]) for name in arrays}
    members["code/cuda/model.so"] = library(entries)
    return artifact.write(
        None,
        signature=signature or toy_signature(),
        targets=[replace(record, **changes)],
        members=members,
    )


def toy_on_card(
    signature: Signature | None = None, *, entries: str = "toy"
) -> CompiledModel:
    """Return the model on the emulated card."""
    driver()
    return CompiledModel(artifact.read(encoded(signature, entries=entries)))


def leaves_of(model: CompiledModel) -> Leaves:
    """Return the way of leaves to the card and back."""
    assert isinstance(model.engine, CardEngine)
    return model.engine.leaves


def memory_of(array: CardArray) -> np.ndarray[Any, Any]:
    """Return a view of memory on the card, as somebody else would write to it."""
    there: Any = (ctypes.c_char * array.nbytes).from_address(array.address)
    return np.frombuffer(there, array.dtype).reshape(array.shape)


@dataclass(frozen=True)
class Emulated:
    """The numbers of the driver that tests read and write."""

    driver: ctypes.CDLL

    def __getitem__(self, name: str) -> int:
        """Return how often something was done, or another number."""
        return int(self.variable(name).value)

    def variable(self, name: str) -> Any:
        """Return a number of the driver as it lies in its memory."""
        wide = name in ("memory", "bytes_in_use")
        kind = ctypes.c_int64 if wide else ctypes.c_int
        return kind.in_dll(self.driver, f"emulated_{name}")

    def set_capabilities(self, *capabilities: int) -> None:
        """Let the cards be of these compute capabilities."""
        table = (ctypes.c_int * 4).in_dll(self.driver, "emulated_capabilities")
        table[: len(capabilities)] = [*capabilities]

    @contextmanager
    def having(self, name: str, value: int) -> Iterator[None]:
        """Let a number of the driver be another one."""
        variable = self.variable(name)
        before, variable.value = variable.value, value
        try:
            yield
        finally:
            variable.value = before

    def fail(self, name: str, error: int) -> None:
        """Let the next call of a function fail."""
        self.driver.emulated_fail(name.encode(), error)

    def stream(self) -> int:
        """Return the handle of a new stream."""
        self.driver.emulated_stream.restype = ctypes.c_void_p
        made: int = self.driver.emulated_stream()
        return made
