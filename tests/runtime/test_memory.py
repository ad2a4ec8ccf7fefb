"""Where compiled code gets its memory from, and that it goes back."""

import re
from pathlib import Path

import numpy as np
import pytest

import lxc
from lxc import nn
from lxc.runtime.frame import Frame, Sizes
from lxc.runtime.memory import HUGE_PAGE, Array, address, aligned_bytes, new_array
from lxc.tree import flatten


def mapping_at(place: int) -> str | None:
    """Return what the kernel says of the mapping that holds an address."""
    parts = re.split(
        r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.M
    )
    for part in parts[1:]:
        begin, end = (int(word, 16) for word in part.split()[0].split("-"))
        if begin <= place < end:
            return part
    return None


def flags_at(place: int) -> list[str]:
    found = re.search(r"^VmFlags:(.*)$", mapping_at(place) or "", flags=re.M)
    return found[1].split() if found else []


@pytest.mark.parametrize("size", [1, 63, 4096, HUGE_PAGE - 1])
def test_a_block_starts_at_a_multiple_of_64(size: int) -> None:
    for _ in range(5):
        block = aligned_bytes(size)
        assert block.nbytes == size
        assert address(block) % 64 == 0


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "bool"])
@pytest.mark.parametrize("shape", [(4096,), (33, 128), (3, 700, 1025)], ids=str)
def test_an_array_that_is_not_small_starts_at_a_line(
    shape: tuple[int, ...], name: str
) -> None:
    kept = [new_array(shape, np.dtype(name)) for _ in range(5)]
    for array in kept:
        assert address(array) % 64 == 0
        assert (array.shape, array.dtype) == (shape, np.dtype(name))
        assert array.flags.writeable
        assert array.flags.c_contiguous


@pytest.mark.parametrize("shape", [(), (0, 5000), (7, 0), (3, 5)], ids=str)
def test_a_small_array_has_its_shape(shape: tuple[int, ...]) -> None:
    array = new_array(shape, np.dtype(np.float32))
    array[...] = 1
    assert array.shape == shape


def test_what_a_call_makes_starts_at_a_line() -> None:
    model = nn.StatefulRecurrentCell(nn.RNNCell(40, 1500))
    ps, st = lxc.setup(0, model)
    x = np.ones((3, 40), np.float32)
    compiled = lxc.compile(model, x, ps, st, target="native")
    for _ in range(3):
        y, st = compiled(x, ps, st)
        leaves = [y, *(leaf for leaf in flatten(st)[0] if leaf.nbytes > 4096)]
        assert len(leaves) == 2
        assert all(address(leaf) % 64 == 0 for leaf in leaves)


@pytest.mark.parametrize("size", [HUGE_PAGE, 5 * HUGE_PAGE // 2, 8 * HUGE_PAGE])
def test_a_large_block_starts_at_a_huge_page_and_asks_for_more(size: int) -> None:
    block = aligned_bytes(size)
    assert block.nbytes == size
    assert address(block) % HUGE_PAGE == 0
    assert "hg" in flags_at(address(block))
    block[:] = 1
    assert int(block.sum()) == size


def test_the_end_of_a_large_block_stays_on_small_pages() -> None:
    block = aligned_bytes(2 * HUGE_PAGE + 4096)
    assert "hg" in flags_at(address(block) + 2 * HUGE_PAGE - 1)
    assert "hg" not in flags_at(address(block) + 2 * HUGE_PAGE)


def test_a_large_block_goes_back_with_its_last_view() -> None:
    block = aligned_bytes(16 * HUGE_PAGE)
    place, view = address(block) + 8 * HUGE_PAGE, block[1:]
    del block
    assert "hg" in flags_at(place)
    del view
    assert "hg" not in flags_at(place)


def test_the_arena_of_a_large_model_is_a_large_block() -> None:
    frame = Frame(Sizes(inputs=1, state=0, outputs=1, dims=0, arena=3 * HUGE_PAGE), 0)
    assert frame.words[7] == address(frame.arena)
    assert frame.words[7] % HUGE_PAGE == 0


@pytest.mark.parametrize(
    "array",
    [
        np.ones((3, 4), np.float32),
        np.ones((3, 4), np.float32).T,
        np.ones((3, 4), np.float32)[1:, ::2],
        np.ones((0, 4), np.float32),
        np.array(1, np.int8),
        np.frombuffer(b"12345678", np.int16),
        np.lib.stride_tricks.as_strided(np.ones(9, np.uint8)[1:], (2,), (4,)),
    ],
    ids=["plain", "columns", "strided", "empty", "scalar", "read-only", "odd"],
)
def test_the_address_is_that_of_the_first_element(array: Array) -> None:
    assert address(array) == array.__array_interface__["data"][0]
