"""What a user chooses of how a model is computed."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Choices:
    """What passes and kernel generators may do to a model for the sake of speed.

    Where results are to be `exact`, only algorithms with the tight error bounds serve.
    """

    exact: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the choices as an artifact's manifest holds them."""
        return asdict(self)


DEFAULT = Choices()
"""What is done where nobody asks for anything else."""
