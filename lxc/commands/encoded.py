"""The bytes of the artifact that `lxc compile` makes of a traced model."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxc.commands.model import TracedModel
from lxc.compilation import artifact_of
from lxc.passes import Choices
from lxc.targets.part import Parts


def encoded_model(
    model: TracedModel,
    targets: Sequence[str],
    name: str,
    choices: Choices,
    told: Mapping[str, Any],
    kept: Parts | None = None,
) -> bytes:
    """Return an artifact with `told` among its options; `kept` has parts of its code."""
    return artifact_of(
        model.graph,
        targets,
        name=name,
        choices=choices,
        params=model.params,
        state=model.state,
        options={**choices.to_json(), **told},
        kept=kept,
    )
