"""lxc inspect: what an artifact holds. The file is parsed; no code in it is mapped."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lxc.commands.group import verb
from lxc.commands.screen import (
    EMULATED,
    UNTRIED,
    bytes_text,
    print_facts,
    print_json,
    print_table,
)
from lxc.errors import printable
from lxc.runtime.artifact import Artifact, read
from lxc.runtime.cards.machine import find_cards
from lxc.runtime.extent import show
from lxc.runtime.features import Machine, needs, this_machine
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.notes import NOTES, notes_in
from lxc.runtime.signature import Leaf

TAKEN = ("registers", "shared_bytes", "spilled_bytes")
"""What kernels take of a card: registers of a thread, and bytes."""

LONGEST = 200
LOWER = ("tf32", "bf16", "int8")
"""What kernels with float32 results may round the factors of products to."""


@verb("lxc inspect digits.lxc --json")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--kernels", is_flag=True, help="Show the kernels of every target too.")
def command(artifact: Path, kernels: bool, as_json: bool) -> None:
    """Show signature, mode, targets, memory, versions and digests of ARTIFACT.

    The file is only parsed, so this is safe for a file from anywhere.
    """
    opened = read(artifact)
    opened.verify()
    if as_json:
        print_json(described(opened))
        return
    show_facts(artifact, opened)
    show_signature(opened)
    show_targets(opened)
    for target in opened.targets if kernels else ():
        show_kernels(target)
    rows = [
        (name, bytes_text(record.length), record.sha256)
        for name, record in opened.manifest.members.items()
    ]
    print_table("members", ("name", "size", "SHA-256"), rows)


def described(artifact: Artifact) -> dict[str, Any]:
    """Return everything that the manifest says, and the digest of the file."""
    manifest, here = artifact.manifest, machine_for(artifact.targets)
    return {
        "format": manifest.format,
        "sha256": artifact.sha256,
        "bytes": artifact.size,
        "signature": manifest.signature.to_json(),
        "targets": [
            {
                "name": target.name,
                "triple": target.triple,
                "features": list(target.features),
                "library_bytes": artifact.length(target.library),
                "prepared_bytes": target.prepared_bytes,
                "arena_bytes": target.arena_bytes,
                "glibc": target.glibc,
                "images": list(target.images),
                "runs_here": not needs(target, here),
                "needs": needs(target, here),
                "kernels": [dict(kernel) for kernel in target.kernels],
            }
            for target in manifest.targets
        ],
        "members": {
            name: {"sha256": record.sha256, "bytes": record.length}
            for name, record in manifest.members.items()
        },
        "options": dict(manifest.options),
        "versions": dict(manifest.versions),
        "memory": dict(manifest.memory),
    }


def show_facts(path: Path, artifact: Artifact) -> None:
    """Print what there is one of."""
    manifest, signature = artifact.manifest, artifact.signature
    raw = manifest.memory.get("raw")
    facts: list[tuple[str, Any]] = [
        ("artifact", f"{path} ({bytes_text(artifact.size)})"),
        ("SHA-256", artifact.sha256),
        ("format", manifest.format),
        ("name", signature.name),
        ("calling", signature.calling),
        ("mode", signature.mode),
    ]
    if signature.dims:
        dims = ", ".join(f"{dim.name}={dim.low}..{dim.high}" for dim in signature.dims)
        facts.append(("dimensions", dims))
    if type(raw) is int:
        facts.append(("parameters", bytes_text(raw)))
    facts.append(("precision", precision_text(manifest.targets)))
    facts += [(f"note {name}", note) for name, note in notes_in(manifest.options).items()]
    facts += [
        (f"option {name}", setting_text(value))
        for name, value in manifest.options.items()
        if name != NOTES
    ]
    facts += [(f"version of {name}", value) for name, value in manifest.versions.items()]
    print_facts([(in_a_line(name), in_a_line(value)) for name, value in facts])


def precision_text(targets: Sequence[TargetRecord]) -> str:
    """Return which floats kernels compute, and where factors of products are rounded."""
    floats: set[str] = set()
    lower: dict[str, dict[str, None]] = {}
    for kernel in (kernel for target in targets for kernel in target.kernels):
        precision = str(kernel.get("precision"))
        if precision in LOWER and str(kernel.get("result")).startswith("f32["):
            layers = ", ".join(map(str, as_list(kernel.get("layers")))) or "the model"
            lower.setdefault(precision, {})[layers] = None
        elif "float" in precision:
            floats.add(precision)
    if not lower:
        return ", ".join(sorted(floats)) or "no floats"
    places = [f"{one} in kernels of {'; '.join(lower[one])}" for one in lower]
    return f"less than float32: {', '.join(places)}"


def setting_text(value: Any) -> str:
    """Return an option for people: a mapping as `int8, head=float32`."""
    if not isinstance(value, dict):
        return str(value)
    pairs = (f"{key}={entry}" if key else str(entry) for key, entry in value.items())
    return ", ".join(pairs)


def show_signature(artifact: Artifact) -> None:
    """Print every buffer."""
    rows = [
        (
            section,
            leaf.name,
            leaf.dtype,
            shape_text(leaf.shape),
            note(leaf),
        )
        for section, group in artifact.signature.groups.items()
        for leaf in group.leaves
    ]
    print_table("signature", ("section", "leaf", "type", "shape", ""), rows)


def note(leaf: Leaf) -> str:
    """Return what is to be said of a leaf beside its type."""
    if leaf.below is not None:
        return f"0..{leaf.below - 1}"
    return "frozen" if leaf.frozen else ""


def shape_text(shape: Any) -> str:
    """Return a shape as text."""
    return f"[{', '.join(map(show, shape))}]"


def machine_for(targets: Sequence[TargetRecord]) -> Machine:
    """Return this machine, with its cards if there is code for cards."""
    here = this_machine()
    if any(target.images for target in targets):
        return replace(here, cards=find_cards(None))
    return here


def show_targets(artifact: Artifact) -> None:
    """Print the targets with their sizes, and which of them this machine runs."""
    here = machine_for(artifact.targets)
    rows = [
        (
            target.name,
            bytes_text(artifact.length(target.library)),
            bytes_text(target.prepared_bytes),
            bytes_text(target.arena_bytes),
            len(target.kernels),
            target.glibc or "any",
            f"no: {needs(target, here)}" if needs(target, here) else "yes",
            " ".join((*target.features, *target.images)),
        )
        for target in artifact.targets
    ]
    columns = ("target", "library", "prepared", "arena", "kernels", "glibc")
    print_table("targets", (*columns, "runs here", "features"), rows)
    for target in artifact.targets:
        if target.images:
            click.echo(f"{in_a_line(target.name)}: {UNTRIED}")
        elif not target.triple.startswith("x86_64-"):
            click.echo(f"{in_a_line(target.name)}: {EMULATED}")


def show_kernels(target: TargetRecord) -> None:
    """Print the kernels of one target."""
    keys = ("ops", "result", "algorithm", "precision", "flops", "bytes")
    taken = TAKEN if target.images else ()
    rows = [
        (
            *(in_a_line(kernel.get(key, "")) for key in keys),
            *(most_taken(kernel.get("cards"), key) for key in taken),
            in_a_line(", ".join(map(str, as_list(kernel.get("layers"))))),
        )
        for kernel in target.kernels
    ]
    names = [key.removesuffix("_bytes") for key in taken]
    print_table(f"kernels of {target.name}", (*keys, *names, "layers"), rows)


def most_taken(cards: Any, key: str) -> str:
    """Return the most that a kernel takes of something on any kind of card, or nothing."""
    kinds = cards.values() if isinstance(cards, dict) else ()
    known = [kind[key] for kind in kinds if isinstance(kind, dict) and key in kind]
    numbers = [number for number in known if type(number) is int]
    return str(max(numbers)) if numbers else ""


def as_list(value: Any) -> list[Any]:
    """Return a list as it is and anything else as an empty one."""
    return value if isinstance(value, list) else []


def in_a_line(value: Any) -> str:
    """Return data from the file in one line, harmless for a terminal and not too long."""
    return printable(" ".join(str(value).split()))[:LONGEST]
