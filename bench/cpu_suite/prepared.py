"""The files of a case that all contenders read: arrays, expected results, ONNX model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cpu_suite.case import Array, Case


class NotThere(Exception):
    """What a contender needs could not be made; the text says why."""


@dataclass(frozen=True)
class Prepared:
    """A case and the folder with its files."""

    case: Case
    folder: Path

    def inputs(self) -> dict[str, Array]:
        """Return the inputs by name."""
        return read(self.folder / "inputs.npz")

    def weights(self) -> dict[str, Array]:
        """Return the weights under torch's names."""
        return read(self.folder / "weights.npz")

    def expected(self) -> list[Array]:
        """Return the outputs in float64."""
        arrays = read(self.folder / "expected.npz")
        return [arrays[f"{place}"] for place in range(len(arrays))]

    @property
    def onnx(self) -> Path:
        """The exported model; raises NotThere if it could not be exported."""
        path = self.folder / "model.onnx"
        if not path.exists():
            raise NotThere((self.folder / "export.txt").read_text("utf-8"))
        return path

    def facts(self) -> dict[str, Any]:
        """Return what is known about the work of the case: flops and bytes."""
        facts: dict[str, Any] = json.loads((self.folder / "facts.json").read_text("utf-8"))
        return facts

    def write(
        self,
        weights: Mapping[str, Array],
        expected: Sequence[Array],
        facts: Mapping[str, Any],
    ) -> None:
        """Write everything but the ONNX model."""
        np.savez(self.folder / "inputs.npz", allow_pickle=False, **self.case.arrays())
        np.savez(self.folder / "weights.npz", allow_pickle=False, **weights)
        numbered = {f"{place}": array for place, array in enumerate(expected)}
        np.savez(self.folder / "expected.npz", allow_pickle=False, **numbered)
        (self.folder / "facts.json").write_text(json.dumps(dict(facts)), "utf-8")

    def error_of(self, outputs: Sequence[Array]) -> float:
        """Return the largest difference to float64, relative to the largest number there.

        Outputs of another shape, and those that are not finite, are infinitely wrong.
        """
        expected = self.expected()
        if [y.shape for y in outputs] != [want.shape for want in expected]:
            return float("inf")
        worst = 0.0
        for y, want in zip(outputs, expected, strict=True):
            if not np.isfinite(y).all():
                return float("inf")
            difference = np.abs(np.asarray(y, np.float64) - want).max(initial=0)
            worst = max(worst, float(difference / max(np.abs(want).max(initial=0), 1e-30)))
        return worst


def read(path: Path) -> dict[str, Array]:
    """Return the arrays of a file, contiguous."""
    with np.load(path) as file:
        return {name: np.ascontiguousarray(file[name]) for name in file.files}
