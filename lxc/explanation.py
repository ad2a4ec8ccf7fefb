"""What an artifact says that passes decided."""

import json

from lxc.errors import LxcError
from lxc.passes.decision import Decision
from lxc.passes.decision_list import decisions_from_json
from lxc.runtime.artifact import Artifact

EXPLANATION = "explain.json"


def stored_decisions(artifact: Artifact, target: str) -> list[Decision]:
    """Return what an artifact says about one of its targets."""
    if EXPLANATION not in artifact:
        raise LxcError("LXC-E0410", "the artifact holds no explanation")
    try:
        return decisions_from_json(json.loads(artifact.read(EXPLANATION))[target])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise LxcError(
            "LXC-E0401", "the explanation in the artifact cannot be understood"
        ) from None
