"""What an artifact holds for one target: just compiled, or kept from an earlier compile."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lxc.ir.graph import Graph
from lxc.ir.types import Array
from lxc.passes.choices import Choices
from lxc.passes.records_text import records_text
from lxc.runtime.container import pack, unpack
from lxc.runtime.manifest import TargetRecord, canonical, target_from_json, target_to_json
from lxc.targets.target import Target

DECISIONS = "explain.json"
RECORD = "record.json"
DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Part:
    """A model's code for one target, and everything that an artifact says of it.

    `decisions` is the JSON of what was fused, and why the rest was not.
    """

    record: TargetRecord
    code: Mapping[str, bytes]
    decisions: Any

    def to_bytes(self) -> bytes:
        """Return the part in one piece, behind the digest of it."""
        told = {RECORD: target_to_json(self.record), DECISIONS: self.decisions}
        described = {name: canonical(value) for name, value in told.items()}
        packed = pack({**self.code, **described})
        return hashlib.sha256(packed).digest() + packed


def part_from(encoded: bytes) -> Part:
    """Return the part in bytes of `to_bytes`; others raise LxcError or ValueError."""
    promised, packed = encoded[:DIGEST_BYTES], encoded[DIGEST_BYTES:]
    if hashlib.sha256(packed).digest() != promised:
        raise ValueError("the part is not what was kept")
    entries = unpack(lambda start, length: packed[start : start + length], len(packed))
    members = {
        name: packed[one.offset : one.offset + one.length] for name, one in entries.items()
    }
    record = target_from_json(json.loads(members.pop(RECORD)))
    return Part(record, decisions=json.loads(members.pop(DECISIONS)), code=members)


class Parts(Protocol):
    """Where parts are kept between compiles."""

    def find(self, wanted: Mapping[str, str]) -> Part | None:
        """Return what was kept for exactly this, if anything was."""

    def keep(self, wanted: Mapping[str, str], part: Part) -> None:
        """Keep a part, if that is possible."""


def description_of(
    graph: Graph,
    target: Target,
    choices: Choices,
    *,
    name: str,
    mode: str,
    tools: Mapping[str, str],
) -> dict[str, str]:
    """Return everything that a part depends on, but for the code of lxc itself.

    Each entry names what it is about, so that two descriptions can be told apart.
    """
    machine = (*(target.triple, target.cpu, target.features), target.machine)
    settings = (choices.exact, choices.precision.to_json(), mode)
    return {
        "model": digest(str(graph), *map(array_text, sorted(graph.arrays.items()))),
        "target": digest(target.name, repr(machine), repr(target.switches)),
        "name": digest(name),
        "option": digest(repr(settings)),
        "set of records": digest(records_text(choices.records)),
        "version of a tool": digest(json.dumps(tools, sort_keys=True)),
    }


def array_text(named: tuple[str, Array]) -> str:
    """Return a name and a digest of the array that has it."""
    name, array = named
    return (
        f"{name} {array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
    )


def digest(*texts: str) -> str:
    """Return the SHA-256 of some texts, each with its length in front."""
    found = hashlib.sha256()
    for text in texts:
        encoded = text.encode()
        found.update(b"%d:" % len(encoded) + encoded)
    return found.hexdigest()
