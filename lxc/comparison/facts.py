"""What differs between the manifests of two artifacts."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxc.comparison.change import Change, changes, flat, text_of
from lxc.runtime.artifact import Artifact
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import Leaf, Signature

KEYS = ("ops", "layers", "result")
"""By what a kernel is found again: its name has its number."""


def signature_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in what the models take and return."""
    yield from changes(signature_texts(a.signature), signature_texts(b.signature))


def signature_texts(signature: Signature) -> dict[str, str]:
    """Return every fact about a signature by its name."""
    found = {
        "name": signature.name,
        "calling": signature.calling,
        "mode": signature.mode,
        **{f"dimension {d.name}": f"{d.low}..{d.high}" for d in signature.dims},
    }
    for section, group in signature.groups.items():
        found |= {f"{section} {leaf.name}": leaf_text(leaf) for leaf in group.leaves}
        found[f"tree of {section}"] = str(group.tree)
    return found | {f"constant {leaf.name}": leaf_text(leaf) for leaf in signature.data}


def leaf_text(leaf: Leaf) -> str:
    """Return everything about a leaf but its name."""
    below = "" if leaf.below is None else f", below {leaf.below}"
    return f"{leaf}{', frozen' if leaf.frozen else ''}{below}"


def option_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in what users chose."""
    yield from changes(flat(a.manifest.options), flat(b.manifest.options))


def version_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in what made the artifacts."""
    yield from changes(flat(a.manifest.versions), flat(b.manifest.versions))


def memory_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the bytes that the models take."""
    yield from changes(memory_texts(a), memory_texts(b))


def memory_texts(artifact: Artifact) -> dict[str, str]:
    """Return every size by its name."""
    sizes = flat(artifact.manifest.memory)
    for target in artifact.targets:
        sizes[f"arena {target.name}"] = str(target.arena_bytes)
        sizes[f"prepared {target.name}"] = str(target.prepared_bytes)
    return sizes


def target_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the machines that there is code for."""
    before, after = ({t.name: t for t in one.targets} for one in (a, b))
    yield from changes(dict.fromkeys(before, ""), dict.fromkeys(after, ""))
    common = [name for name in before if name in after]
    for name in common:
        texts = target_texts(before[name]), target_texts(after[name])
        yield from changes(*texts, f"{name} ")
    order = [name for name in after if name in before]
    yield from changes({"order": " ".join(common)}, {"order": " ".join(order)})


def target_texts(target: TargetRecord) -> dict[str, str]:
    """Return what code for a target needs."""
    return {
        "triple": target.triple,
        "features": " ".join(target.features),
        "glibc": target.glibc or "any",
        "images": " ".join(target.images),
        "driver": str(target.driver),
    }


def kernel_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the kernels of targets that both have."""
    after = {target.name: target for target in b.targets}
    for target in a.targets:
        if target.name in after:
            before = kernel_texts(target)
            yield from changes(before, kernel_texts(after[target.name]), f"{target.name} ")


def kernel_texts(target: TargetRecord) -> dict[str, str]:
    """Return what is known of every kernel, by what it computes; equal ones numbered."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for kernel in target.kernels:
        key = " ".join(words_of(kernel.get(word, "")) for word in KEYS)
        seen[key] += 1
        numbered = f"{key} #{seen[key]}" if seen[key] > 1 else key
        rest = {k: v for k, v in sorted(kernel.items()) if k not in (*KEYS, "name")}
        found[numbered] = ", ".join(f"{k}={text_of(v)}" for k, v in rest.items())
    return found


def words_of(value: Any) -> str:
    """Return a value of a kernel as text, a list by its entries."""
    return ", ".join(map(text_of, value)) if isinstance(value, list) else text_of(value)


def member_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the files inside."""
    yield from changes(member_texts(a), member_texts(b))


def member_texts(artifact: Artifact) -> dict[str, str]:
    """Return size and digest of every member."""
    return {
        name: f"{record.length} B, SHA-256 {record.sha256[:16]}"
        for name, record in artifact.manifest.members.items()
    }
