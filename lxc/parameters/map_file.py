"""Other names of layers and parameters, from files of JSON or TOML."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.checkpoint import Array
from lxc.runtime.load_report import nearest
from lxc.runtime.manifest import without_duplicates
from lxc.runtime.named_trees import by_prefix, prefixes


def read_map(path: Path) -> dict[str, str]:
    """Return the names in the file for paths of ours; a path stands for all below it."""
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            found: Any = tomllib.loads(text)
        else:
            found = json.loads(text, object_pairs_hook=without_duplicates)
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise LxcError(
            "LXC-E0002",
            f"{path} does not map names to names",
            expected='{"our.path": "their.path", ...}, or "our.path" = "their.path" lines',
        )
    return found


def with_our_names(
    arrays: Mapping[str, Array], names: Mapping[str, str]
) -> dict[str, Array]:
    """Return arrays by our names, from a map of our paths to the ones they have."""
    known = {prefix for name in arrays for prefix in prefixes(name)}
    for path in names.values():
        if path not in known:
            near = nearest(path, sorted(known))
            raise LxcError(
                "LXC-E0001",
                f"the map has the name {path!r}, which the file lacks",
                hint=f"the file has {' and '.join(near)}" if near else None,
            )
    ours = {theirs: path for path, theirs in names.items()}
    made: dict[str, Array] = {}
    for name, array in arrays.items():
        new = by_prefix(name, ours)
        if new in made:
            raise LxcError("LXC-E0001", f"the map gives two arrays the name {new!r}")
        made[new] = array
    return made
