"""All that was measured in the same rounds, and what follows from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lxc import __version__
from lxc.benchmarking.agreement import ALIKE
from lxc.benchmarking.contestant import Contestant
from lxc.benchmarking.machine import usable_threads
from lxc.benchmarking.measured import Measured
from lxc.benchmarking.noise import doubts, doubts_about
from lxc.benchmarking.verdict import Verdict, verdict
from lxc.verification.given import Given


@dataclass(frozen=True)
class Race:
    """Calls on some values with their times; the first is compared with the others.

    `apart` is how far the outputs of the others are from the first one's, by the largest
    value. `machine` are facts from before the first call.
    """

    given: Given
    contestants: tuple[Contestant, ...]
    measured: Mapping[str, Measured]
    apart: Mapping[str, float]
    machine: Mapping[str, Any]
    threads: int

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """How the first compares with each of the others."""
        own, *others = (self.measured[one.name] for one in self.contestants)
        return [verdict(own, other) for other in others]

    @cached_property
    def warnings(self) -> list[str]:
        """Reasons to doubt the times, or that they are those of the same work."""
        found = [*doubts_about(self.machine, self.threads, usable_threads())]
        found += self.differences()
        for one in self.measured.values():
            found += doubts(one, self.threads)
        return found

    def differences(self) -> Iterator[str]:
        """Yield whose outputs are not the first one's."""
        for name, distance in self.apart.items():
            if not distance <= ALIKE:
                yield (
                    f"{name} does not compute the same: its outputs are off by "
                    f"{distance:.1e} of the largest value"
                )

    @property
    def rows(self) -> int | None:
        """The length of the first axis, if all inputs and outputs have the same."""
        arrays = (*self.given.inputs.values(), *self.contestants[0].outputs().values())
        lengths = {np.shape(array)[:1] for array in arrays}
        return int(min(lengths)[0]) if len(lengths) == 1 and () not in lengths else None

    def is_above(self, limit: float | None) -> bool:
        """Tell whether the first surely takes over `limit` times as long as another."""
        return limit is not None and any(one.is_above(limit) for one in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Return everything; times are seconds of one call."""
        rows = self.rows
        return {
            "threads": self.threads,
            "dimensions": dict(self.given.sizes),
            "origins": dict(self.given.origins),
            "rows_per_call": rows,
            "measured": [
                {
                    "name": one.name,
                    **one.facts,
                    **self.measured[one.name].to_json(),
                    "rows_per_second": rows
                    and rows * self.measured[one.name].calls_per_second,
                }
                for one in self.contestants
            ],
            "compared": [
                {**one.to_json(), "outputs_apart": self.apart[one.other]}
                for one in self.verdicts
            ],
            "warnings": self.warnings,
            "machine": dict(self.machine),
            "versions": {"lxc": __version__, "numpy": np.__version__},
        }
