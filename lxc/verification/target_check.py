"""The code for one target against what the IR means."""

from dataclasses import dataclass, replace

import numpy as np

from lxc.calling import call, leaves_of
from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import Array, flatten_names, tree_from
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Signature
from lxc.tree_paths import trees_by_key
from lxc.verification.given import Given
from lxc.verification.judgement import Judgement, judged
from lxc.verification.meaning import Meaning

OTHER_MACHINE, NEWER_LIBRARY = "LXC-E0405", "LXC-E0406"
"""Code is for another machine, or for a newer C library."""


@dataclass(frozen=True)
class Verified:
    """What was found about the code for one target; `reason` says why it did not run."""

    target: str
    judgements: tuple[Judgement, ...] = ()
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether every result is as close as it has to be."""
        return all(one.agrees for one in self.judgements)


def verify(
    artifact: Artifact, record: TargetRecord, meaning: Meaning, given: Given
) -> Verified:
    """Return what is found about the code for one target."""
    try:
        model = CompiledModel(artifact, target=record.name)
    except LxcError as error:
        if error.code not in (OTHER_MACHINE, NEWER_LIBRARY):
            raise
        found = f"{error.summary}: " if error.code == NEWER_LIBRARY else ""
        return Verified(record.name, reason=f"{found}{error.expected}")
    results = results_of(model, given)
    by_tiles = any(
        str(kernel.get("algorithm", "")).startswith("winograd") for kernel in record.kernels
    )
    return Verified(
        record.name,
        tuple(
            compared(name, results[name], meaning, by_tiles=by_tiles)
            for name in meaning.exact
            if name in results
        ),
    )


def results_of(model: CompiledModel, given: Given) -> dict[str, Array]:
    """Return what one call of the compiled code gives, by name."""
    signature: Signature = model.signature
    trees = trees_by_key(given.inputs)
    ps = tree_from(given.params, signature.params, "params")
    st = tree_from(given.state, signature.state, "state")
    y, after = call(model, trees, ps, st)
    names = [leaf.name for leaf in signature.outputs.leaves]
    outputs = map(np.asarray, leaves_of(signature.outputs.tree, y))
    state = {f"state {name}": array for name, array in flatten_names(after).items()}
    return dict(zip(names, outputs, strict=True)) | state


def compared(name: str, actual: Array, meaning: Meaning, *, by_tiles: bool) -> Judgement:
    """Return the judgement of one result.

    Integers follow from comparing floats now and then, so they may be NumPy's in any width.
    """
    allowed = meaning.allowed(name, by_tiles=by_tiles)
    exact, narrow, lower = (m[name] for m in (meaning.exact, meaning.narrow, meaning.lower))
    found = judged(name, actual, narrow, exact, allowed)
    others = [judged(name, actual, narrow, one, allowed).error for one in (narrow, lower)]
    if found.most_ulp is None:
        found = replace(found, error=min(found.error, *others))
    return found
