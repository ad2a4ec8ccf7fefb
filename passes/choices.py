"""What a user chooses of how a model is computed."""

from dataclasses import dataclass
from typing import Any

from lxc.passes.precision import FLOAT32, PrecisionPlan
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.records_text import digest_of


@dataclass(frozen=True)
class Choices:
    """What passes and kernel generators may do to a model for the sake of speed.

    Where results are to be `exact`, only algorithms with the tight error bounds serve.
    `precision` says what the factors of products may be rounded to. `records` say which of
    several ways to compute something was measured to be the fastest.
    """

    exact: bool = False
    precision: PrecisionPlan = FLOAT32
    records: Records = NO_RECORDS

    def to_json(self) -> dict[str, Any]:
        """Return the choices as an artifact's manifest holds them."""
        told = {"exact": self.exact, "precision": self.precision.to_json()}
        if self.records != NO_RECORDS:
            told["records"] = digest_of(self.records)
        return told


DEFAULT = Choices()
"""What is done where nobody asks for anything else."""
