"""The model of an artifact, compiled again by this lxc: for new code, or other targets."""

from collections.abc import Sequence

from lxc.compilation import artifact_of
from lxc.errors import LxcError
from lxc.passes.choices import Choices
from lxc.passes.records import NO_RECORDS, Records
from lxc.runtime.artifact import Artifact, read
from lxc.stored_model import stored_exactness, stored_graph, stored_plan
from lxc.targets.part import Parts

VALUES = ("params.safetensors", "state.safetensors")
CHECKS = "check/"


def upgraded(
    artifact: Artifact,
    targets: Sequence[str] = (),
    *,
    records: Records = NO_RECORDS,
    kept: Parts | None = None,
) -> bytes:
    """Return an artifact with the model of another one, compiled from the IR in it.

    Its targets are `targets`, or those that it had; `records` take the place of those that
    it was made with. All other options are as they were, and so are parameters, state and
    values for checks, byte for byte.
    """
    manifest = artifact.manifest
    choices = Choices(stored_exactness(artifact), stored_plan(artifact), records)
    others = {name: one for name, one in manifest.options.items() if name != "records"}
    encoded = artifact_of(
        stored_graph(artifact),
        targets or [target.name for target in manifest.targets],
        name=manifest.signature.name,
        choices=choices,
        options={**others, **choices.to_json()},
        kept=kept,
    )
    made = read(encoded)
    if made.signature != manifest.signature:
        raise LxcError("LXC-E0410", "the IR in the artifact is that of another model")
    same = [name for name in manifest.members if name in VALUES or name.startswith(CHECKS)]
    return made.with_members({name: artifact.read(name) for name in same})
