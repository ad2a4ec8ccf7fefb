"""Arrays in safetensors files."""

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as load_elsewhere

from lxc.errors import LxcError
from lxc.runtime import checkpoint
from lxc.runtime.signature import DTYPES
from lxc.tree import flatten

Array = np.ndarray[Any, Any]


def back(arrays: dict[str, Array]) -> dict[str, Array]:
    return dict(checkpoint.decode(memoryview(checkpoint.encode(arrays))).arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 0, 2)])
def test_every_type_and_shape_comes_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, DTYPES[dtype])
    found = back({"a.b": array, "a.c": array})
    assert found["a.b"].dtype == array.dtype
    assert found["a.b"].shape == shape
    assert found["a.c"].tobytes() == array.tobytes()


def test_arrays_in_any_layout_are_stored_in_order() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for view in (array.T, array[:, ::2], array[::-1], np.asfortranarray(array)):
        np.testing.assert_array_equal(back({"a": view})["a"], view)


def test_other_readers_can_read_what_is_written() -> None:
    array = np.arange(6, dtype=np.int64).reshape(2, 3)
    encoded = checkpoint.encode({"b": array, "a": array.astype(np.float16)}, {"epoch": 3})
    found = load_elsewhere(encoded)
    np.testing.assert_array_equal(found["b"], array)


def test_the_bytes_do_not_depend_on_the_order() -> None:
    a, b = np.zeros(3, np.float32), np.ones(3, np.uint8)
    first = checkpoint.encode({"a": a, "b": b}, {"x": 1, "y": [2]})
    assert checkpoint.encode({"b": b, "a": a}, {"y": [2], "x": 1}) == first


def test_metadata_comes_back() -> None:
    encoded = checkpoint.encode({}, {"epoch": 3, "name": "é"})
    assert checkpoint.decode(memoryview(encoded)).metadata == {"epoch": 3, "name": "é"}


def test_a_file_is_read_as_read_only_views_of_it(tmp_path: Path) -> None:
    path = tmp_path / "params.safetensors"
    checkpoint.write_checkpoint(path, {"w": np.arange(1000, dtype=np.float32)})
    array = checkpoint.read_checkpoint(path).arrays["w"]
    assert not array.flags.writeable
    assert not array.flags.owndata
    assert array[999] == 999
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_objects_cannot_be_stored() -> None:
    with pytest.raises(LxcError) as caught:
        checkpoint.encode({"a": np.array([{}])})
    assert caught.value.code == "LXC-E0409"


def test_names_are_paths_of_the_tree() -> None:
    tree = {"layer_1": {"weight": np.zeros(2)}, "list": [np.ones(1), None, 3]}
    assert list(checkpoint.flatten_names(tree)) == ["layer_1.weight", "list.0"]
    assert flatten(tree)[1].paths() == ["layer_1.weight", "list.0"]


def header_of(text: bytes, body: bytes = b"") -> memoryview:
    return memoryview(struct.pack("<Q", len(text)) + text + body)


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}


HEADERS: list[Any] = [
    [],
    {"a": []},
    {"a": entry(dtype="F128")},
    {"a": entry(dtype=["F32"])},
    {"a": entry(shape=[3])},
    {"a": entry(shape=[-2])},
    {"a": entry(shape=2)},
    {"a": entry(shape=[2.0])},
    {"a": entry(shape=[True, 2])},
    {"a": entry(shape=[1] * 17)},
    {"a": entry(shape=[2**61, 2**61])},
    {"a": entry(data_offsets=[0, 8, 8])},
    {"a": entry(data_offsets=[8, 0])},
    {"a": entry(data_offsets=[8, 16])},
    {"a": entry(), "b": entry()},
    {"a": entry(shape=[1], data_offsets=[0, 4])},
    {"a": entry(extra=1)},
    {"a": entry(), "__metadata__": 3},
    {"a": entry(), "__metadata__": {"a": 1}},
    {"a": entry(), "__metadata__": {"lxc": "{"}},
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_header_that_lies_is_refused(header: Any) -> None:
    with pytest.raises(LxcError) as caught:
        checkpoint.decode(header_of(json.dumps(header).encode(), bytes(8)))
    assert caught.value.code == "LXC-E0409"


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        bytes(7),
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 10) + b"{}",
        struct.pack("<Q", 100_000_001) + bytes(100),
        struct.pack("<Q", 2) + b"{]",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 3) + b"\xff{}",
    ],
    ids=range(8),
)
def test_contents_of_another_form_are_refused(contents: bytes) -> None:
    with pytest.raises(LxcError) as caught:
        checkpoint.decode(memoryview(contents))
    assert caught.value.code == "LXC-E0409"


def test_a_repeated_name_is_refused() -> None:
    one = json.dumps(entry())
    with pytest.raises(LxcError):
        checkpoint.decode(header_of(f'{{"a":{one},"a":{one}}}'.encode(), bytes(8)))


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_flipped_byte_is_refused_or_read(place: int, value: int) -> None:
    arrays = {"a": np.arange(4, dtype=np.float32), "b": np.ones(3, ml_dtypes.bfloat16)}
    encoded = bytearray(checkpoint.encode(arrays))
    encoded[place % len(encoded)] ^= value
    found, code = None, ""
    try:
        found = checkpoint.decode(memoryview(bytes(encoded)))
    except LxcError as error:
        code = error.code
    if found is None:
        assert code == "LXC-E0409"
    else:
        assert sum(array.nbytes for array in found.arrays.values()) == 22


def test_arrays_out_of_alignment_are_copied_into_it() -> None:
    text = json.dumps(
        {"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, separators=(",", ":")
    ).encode()
    text += b" " * (5 - len(text) % 4)
    array = checkpoint.decode(header_of(text, struct.pack("<d", 2.5))).arrays["a"]
    assert array.flags.aligned
    assert array[0] == 2.5
