"""The digits network, its images, and artifacts of it."""

import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lxc
from lxc.runtime import CompiledModel

DIGITS = Path(__file__).parent.parent.parent / "examples" / "digits"


@dataclass(frozen=True)
class Digits:
    """A trained model, the test split and the places of its files."""

    model: Any
    ps: Any
    st: Any
    images: NDArray[np.float32]
    labels: NDArray[np.uint8]
    folder: Path

    @property
    def spec(self) -> lxc.TensorSpec:
        """What the model takes: any number of images up to the whole split."""
        return lxc.TensorSpec((lxc.Dim("N", 1, len(self.images)), 1, 8, 8))


@pytest.fixture(scope="session")
def digits() -> Digits:
    example = runpy.run_path(str(DIGITS / "model.py"), run_name="model")
    ps, st = example["trained"]()
    test = np.load(DIGITS / "test.npz")
    images = (test["images"] / 16).astype(np.float32)
    return Digits(example["model"], ps, st, images, test["labels"], DIGITS)


@pytest.fixture(scope="session")
def compiled(digits: Digits) -> CompiledModel:
    return lxc.compile(digits.model, digits.spec, digits.ps, digits.st, name="digits")
