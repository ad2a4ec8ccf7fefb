"""A compiled model in a notebook: what it takes and returns, and what it runs on."""

from lxc.html import table
from lxc.runtime.artifact import Artifact
from lxc.runtime.extent import show

LEAVES = ("section", "leaf", "type", "shape")
TARGETS = ("target", "library", "prepared", "arena", "kernels")


def artifact_html(artifact: Artifact) -> str:
    """Return the signature and the targets of an artifact as tables; sizes are in bytes."""
    manifest, signature = artifact.manifest, artifact.signature
    leaves = [
        (section, leaf.name, leaf.dtype, f"[{', '.join(map(show, leaf.shape))}]")
        for section, group in signature.groups.items()
        for leaf in group.leaves
    ]
    code = [
        (
            target.name,
            f"{artifact.length(target.library):,}",
            f"{target.prepared_bytes:,}",
            f"{target.arena_bytes:,}",
            len(target.kernels),
        )
        for target in manifest.targets
    ]
    dims = "".join(f", {dim.name} = {dim.low} to {dim.high}" for dim in signature.dims)
    caption = f"{signature.name}: mode {signature.mode}{dims}, {artifact.size:,} bytes"
    return table(caption, LEAVES, leaves) + table("code", TARGETS, code)
