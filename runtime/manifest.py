"""The manifest of an artifact: what `manifest.json` may say, written canonically.

The reader has a closed schema. `options`, `versions`, `memory` and the `kernels` of a
target are kept as plain data that nothing acts on; everything else is checked. A manifest
is of the oldest format that can say it: only code for cards needs format 2. One of a newer
format is refused by naming the version.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.extent import LARGEST
from lxc.runtime.schema import items, record, refusal, text
from lxc.runtime.signature import Signature
from lxc.runtime.signature_json import signature_from_json

FORMAT, FORMAT_WITH_CARDS = 2, 2
LARGEST_MANIFEST = 16 << 20
MOST_TARGETS = 32
NEWEST_DRIVER = 10**6

TARGET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?")
FEATURE = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}")
TRIPLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
GLIBC = re.compile(r"(?:[0-9]{1,3}\.[0-9]{1,3}(?:\.[0-9]{1,3})?)?")
IMAGE = re.compile(r"(?:sm|compute)_[0-9]{2,3}[af]?")
DIGEST = re.compile(r"[0-9a-f]{64}")
CODE_FILES = ("model.so", "model.o", "model.h")
PLAIN_MEMBERS = (
    "params.safetensors",
    "state.safetensors",
    "data.safetensors",
    "ir/traced.lxir",
    "explain.json",
)
CHECK_MEMBER = re.compile(r"check/[a-z0-9_]{1,64}\.(?:safetensors|json)")


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """What the artifact knows about its code for one target.

    `features` are the LLVM names of the CPU features that must be present before the first
    instruction runs; `glibc` is the oldest version of the C library that will do, empty if
    any does. `prepared_bytes` and `arena_bytes` hold at the upper bounds of the dimensions.
    `kernels` is data for people: name, algorithm, precision, layer paths. `images` are
    NVIDIA's names for the kinds of card that the library has code for: `sm_80`, `sm_90a`,
    or `compute_80` for text that the driver compiles; there are none for a processor.
    `driver` is the version of CUDA that they were made with, 13010 for 13.1: it decides
    which of them a driver takes.
    """

    name: str
    triple: str
    features: tuple[str, ...]
    prepared_bytes: int
    arena_bytes: int
    glibc: str = ""
    kernels: tuple[Mapping[str, Any], ...] = ()
    images: tuple[str, ...] = ()
    driver: int = 0

    @property
    def library(self) -> str:
        """The member that holds the library."""
        return f"code/{self.name}/model.so"


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """What the manifest promises about the bytes of a member."""

    sha256: str
    length: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of `manifest.json`; targets are in ascending order of preference."""

    signature: Signature
    targets: tuple[TargetRecord, ...]
    members: Mapping[str, MemberRecord]
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)

    @property
    def format(self) -> int:
        """The oldest format that can say what this manifest says."""
        return FORMAT_WITH_CARDS if has_cards(self.targets) else 1

    def to_bytes(self) -> bytes:
        """Return the canonical text of the manifest."""
        value = {
            "format": self.format,
            "signature": self.signature.to_json(),
            "targets": [target_to_json(target) for target in self.targets],
            "members": {n: [m.sha256, m.length] for n, m in self.members.items()},
            "options": dict(self.options),
            "versions": dict(self.versions),
            "memory": dict(self.memory),
        }
        return canonical(value)


def canonical(value: Any) -> bytes:
    """Return the one JSON text of `value`."""
    encoded = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return encoded.encode("ascii")


def target_to_json(target: TargetRecord) -> dict[str, Any]:
    """Return the fields of a target as JSON values."""
    fields = {
        "name": target.name,
        "triple": target.triple,
        "features": list(target.features),
        "prepared_bytes": target.prepared_bytes,
        "arena_bytes": target.arena_bytes,
        "glibc": target.glibc,
        "kernels": [dict(kernel) for kernel in target.kernels],
    }
    if not target.images:
        return fields
    return {**fields, "images": list(target.images), "driver": target.driver}


def manifest_from_bytes(encoded: bytes) -> Manifest:
    """Read the text of a manifest that may be hostile."""
    if len(encoded) > LARGEST_MANIFEST:
        raise refusal("the manifest is too large")
    try:
        value = json.loads(
            encoded, object_pairs_hook=without_duplicates, parse_constant=reject_constant
        )
        return manifest_from_json(value)
    except (RecursionError, ValueError) as error:
        raise refusal(f"the manifest is not JSON ({type(error).__name__})") from None


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs of a JSON object as a dict; a repeated key is a ValueError."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key is repeated")
    return result


def reject_constant(name: str) -> Any:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise refusal(f"the manifest holds {name}")


def manifest_from_json(value: Any) -> Manifest:
    """Read the parsed manifest."""
    check_format(value)
    keys = {"format", "signature", "targets", "members", "options", "versions", "memory"}
    fields = record(value, "the manifest", keys, keys)
    targets = tuple(
        target_from_json(target) for target in items(fields["targets"], "targets")
    )
    manifest = Manifest(
        signature_from_json(fields["signature"]),
        targets,
        members_from_json(fields["members"]),
        *(mapping(fields[name], name) for name in ("options", "versions", "memory")),
    )
    check_manifest(manifest)
    if fields["format"] < FORMAT_WITH_CARDS and has_cards(targets):
        raise refusal("the manifest is of a format that has no code for cards")
    return manifest


def has_cards(targets: Iterable[TargetRecord]) -> bool:
    """Tell whether some of the code is for cards."""
    return any(target.images for target in targets)


def check_format(value: Any) -> None:
    """Refuse a manifest of a format that this version does not read."""
    version = value.get("format") if isinstance(value, dict) else None
    if type(version) is not int or version < 1:
        raise refusal("the manifest names no format version")
    if version > FORMAT:
        raise LxcError(
            "LXC-E0403",
            "the artifact was written in a newer format than this lxc reads",
            expected=f"format {FORMAT} or older",
            actual=f"format {version}",
            hint="upgrade lxc on this machine",
        )


def check_manifest(manifest: Manifest) -> None:
    """Refuse targets or members that contradict each other."""
    names = [target.name for target in manifest.targets]
    if len(names) > MOST_TARGETS or len(set(names)) < len(names):
        raise refusal("the targets are too many, or two have one name")
    allowed = {f"code/{name}/{file}" for name in names for file in CODE_FILES}
    for member in manifest.members:
        if member not in allowed | {*PLAIN_MEMBERS} and not CHECK_MEMBER.fullmatch(member):
            raise refusal(f"{member[:80]!r} is not a member that an artifact can have")
    for target in manifest.targets:
        if target.library not in manifest.members:
            raise refusal(f"the code for {target.name} is missing")
    if manifest.signature.data and "data.safetensors" not in manifest.members:
        raise refusal("the constants of the model are missing")


def target_from_json(value: Any) -> TargetRecord:
    """Read one target."""
    keys = {*TargetRecord.__dataclass_fields__}
    fields = record(value, "target", keys - {"images", "driver"}, keys)
    name, triple = text(fields["name"], "name"), text(fields["triple"], "triple")
    glibc = text(fields["glibc"], "glibc")
    features = tuple(
        text(item, "feature") for item in items(fields["features"], "features")
    )
    well_formed = all(FEATURE.fullmatch(feature) for feature in features)
    if not (well_formed and TARGET_NAME.fullmatch(name) and TRIPLE.fullmatch(triple)):
        raise refusal(f"the target {name[:40]!r} has a malformed name, triple or feature")
    if ".." in name or not GLIBC.fullmatch(glibc):
        raise refusal(f"the target {name[:40]!r} has a malformed name or version")
    sizes = (fields["prepared_bytes"], fields["arena_bytes"])
    if not all(type(size) is int and 0 <= size <= LARGEST for size in sizes):
        raise refusal(f"the target {name} needs an impossible amount of memory")
    kernels = tuple(
        mapping(kernel, "kernel") for kernel in items(fields["kernels"], "kernels")
    )
    cards = cards_from_json(fields, name)
    return TargetRecord(name, triple, features, *sizes, glibc, kernels, *cards)


def cards_from_json(fields: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], int]:
    """Read which cards and which driver a target needs."""
    shown = items(fields.get("images", []), "images")
    images = tuple(text(item, "image") for item in shown)
    if not all(IMAGE.fullmatch(image) for image in images):
        raise refusal(f"the target {name} names an impossible card")
    driver = fields.get("driver", 0)
    if type(driver) is not int or not 0 <= driver <= NEWEST_DRIVER:
        raise refusal(f"the target {name} needs an impossible driver")
    return images, driver


def members_from_json(value: Any) -> dict[str, MemberRecord]:
    """Read the digests of the members."""
    members = {}
    for name, pair in mapping(value, "members").items():
        if not (isinstance(pair, list) and len(pair) == 2):
            raise refusal(f"the member {name[:80]!r} has no digest and length")
        digest, length = pair
        if not (isinstance(digest, str) and DIGEST.fullmatch(digest)):
            raise refusal(f"the member {name[:80]!r} has a malformed digest")
        if type(length) is not int or length < 0:
            raise refusal(f"the member {name[:80]!r} has a malformed length")
        members[name] = MemberRecord(digest, length)
    return members


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return `value` if it is an object."""
    if not isinstance(value, dict):
        raise refusal(f"{what} is not an object")
    return value
