"""The published schema takes the manifests that lxc writes, and refuses others."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import lxc
from lxc import kaun, nn
from lxc.runtime.artifact import MANIFEST
from lxc.runtime.container import unpack

SCHEMA = Path(__file__).parents[2] / "docs" / "manifest.schema.json"
PUBLISHED: Any = json.loads(SCHEMA.read_text())
VALIDATOR = Draft202012Validator(PUBLISHED)
X = lxc.TensorSpec((lxc.Dim("N", 1, 4), 3))


def manifest_in(path: Path) -> Any:
    """Return the parsed manifest of the artifact in a file."""
    contents = path.read_bytes()
    entry = unpack(lambda start, length: contents[start : start + length], len(contents))[
        MANIFEST
    ]
    return json.loads(contents[entry.offset : entry.offset + entry.length])


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return manifests that together have every part of the format."""
    folder = tmp_path_factory.mktemp("manifests")
    cell = nn.StatefulRecurrentCell(nn.LSTMCell(3, 4))
    ps, st = lxc.setup(0, cell)
    recurrent = lxc.compile(cell, X, ps, st, target=["x86-64-v2", "cuda-sm80"])
    recurrent.save(folder / "a.lxc", params=ps, state=st, notes={"license": "MIT"})
    layer = kaun.sequential(
        [kaun.embedding(vocab_size=5, embed_dim=3), kaun.dropout(rate=0.5)]
    )
    vars = kaun.init(layer, dtype="float32", rng=0)
    drawn = lxc.compile(
        layer,
        np.zeros((2, 3), np.int32),
        vars,
        training=True,
        rngs=np.zeros(2, np.uint32),
        target="x86-64-v2",
    )
    drawn.save(folder / "b.lxc")
    return [manifest_in(folder / name) for name in ("a.lxc", "b.lxc")]


def test_what_lxc_writes_is_valid(manifests: list[Any]) -> None:
    assert [manifest["format"] for manifest in manifests] == [2, 1]
    for manifest in manifests:
        VALIDATOR.validate(manifest)


def test_the_schema_names_what_manifests_have(manifests: list[Any]) -> None:
    definitions = PUBLISHED["$defs"]
    for manifest in manifests:
        assert PUBLISHED["properties"].keys() == manifest.keys()
        assert definitions["signature"]["properties"].keys() == manifest["signature"].keys()
    (with_images,) = (t for t in manifests[0]["targets"] if "images" in t)
    assert definitions["target"]["properties"].keys() == with_images.keys()


CHANGES: dict[str, Callable[[Any], object]] = {
    "a newer format": lambda m: m.update(format=3),
    "an unknown field": lambda m: m.update(author="Ada"),
    "a negative size": lambda m: m["targets"][0].update(arena_bytes=-1),
    "a short digest": lambda m: m["members"]["explain.json"].__setitem__(0, "abc"),
    "a foreign member": lambda m: m["members"].update(
        {"../a": m["members"]["explain.json"]}
    ),
    "an odd type": lambda m: m["signature"]["inputs"]["leaves"][0].update(dtype="float8"),
    "an odd operator": lambda m: m["signature"]["inputs"]["leaves"][0].update(
        shape=[["-", "N", 1]]
    ),
    "an odd tree": lambda m: m["signature"]["params"].update(tree={"set": ["*"]}),
    "a note of numbers": lambda m: m["options"].update(notes={"license": 7}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_breaks_the_format_is_not(manifests: list[Any], change: str) -> None:
    manifest = copy.deepcopy(manifests[0])
    CHANGES[change](manifest)
    assert not VALIDATOR.is_valid(manifest)
