"""The same artifact once more, by another process: are its bytes the same?"""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from lxc.commands.encoded import encoded_model
from lxc.commands.model import ModelOptions, traced_model
from lxc.errors import LxcError
from lxc.passes import Choices
from lxc.runtime.artifact import read


@dataclass(frozen=True)
class Request:
    """All that the bytes of an artifact depend on."""

    model: ModelOptions
    targets: tuple[str, ...]
    name: str
    choices: Choices
    told: Mapping[str, Any]


def check_reproducible(encoded: bytes, request: Request) -> None:
    """Refuse an artifact that a fresh process, which keeps no code, makes differently."""
    # A process of its own has another order of sets, and nothing that the first left.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        again = pool.submit(encoded_for, request).result()
    if again == encoded:
        return
    first, second = (read(one).manifest for one in (encoded, again))
    members = {*first.members, *second.members}
    changed = sorted(m for m in members if first.members.get(m) != second.members.get(m))
    raise LxcError(
        "LXC-E0311",
        "compiling again gave other bytes",
        actual=f"different: {', '.join(changed) or 'manifest.json'}",
        hint="a source that draws numbers or reads files may be another model in each run; "
        "lxc diff shows what differs between two artifacts",
    )


def encoded_for(request: Request) -> bytes:
    """Return the bytes of the artifact that was asked for, from the source on."""
    model = traced_model(request.model, request.name)
    return encoded_model(
        model, request.targets, request.name, request.choices, request.told
    )
