"""Random bits against published vectors, and pinned masks of the Lux family."""

import numpy as np
import pytest

from lxc import nn
from lxc.frontend import setup, trainmode
from lxc.frontend import testmode as in_test_mode
from lxc.ir import functions as ops
from lxc.ir.ops.random import threefry
from tests.frontend.modes import Mode, same

ONES = np.ones((4, 6), np.float32)


def words(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.array(numbers, np.uint32)


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_published_words(
    key: tuple[int, int], counter: tuple[int, int], expected: tuple[int, int]
) -> None:
    high, low = threefry(words(*key), words(counter[0]), words(counter[1]))
    assert (int(high[0]), int(low[0])) == expected


def test_element_i_is_word_i_mod_2_of_block_i_over_2(run: Mode) -> None:
    key = words(5, 9)
    model = nn.WrappedFunction(lambda k: ops.random_bits(k, (3, 5)))
    bits = run.fresh(model, key).ravel()
    for place in range(15):
        block = threefry(key, words(0), words(place // 2))
        assert bits[place] == block[place % 2][0]


def test_a_split_key_is_a_block_that_no_draw_reaches(run: Mode) -> None:
    key = words(5, 9)
    keys = run.fresh(nn.WrappedFunction(lambda k: tuple(ops.random_split(k, 3))), key)
    for place, new in enumerate(keys):
        block = threefry(key, words(0xFFFFFFFF), words(place))
        assert list(new) == [int(word[0]) for word in block]


def test_uniform_numbers_are_the_upper_24_bits(run: Mode) -> None:
    key = words(1, 2)
    u = run.fresh(nn.WrappedFunction(lambda k: ops.random_uniform(k, (1000,))), key)
    bits = ops.random_bits(key, (1000,))
    same(u, (bits >> 8).astype(np.float32) * np.float32(2.0**-24))
    assert 0 <= u.min() < 0.01
    assert 0.99 < u.max() < 1


def test_the_mask_of_lux_is_pinned(run: Mode) -> None:
    layer = nn.Dropout(0.5)
    y, _ = run.lux(layer, ONES, {}, {"rng": words(1, 2), "training": True})
    assert rows(y) == [".x..xx", "....x.", ".xxxxx", ".xx..."]


def test_the_mask_over_channels_is_pinned(run: Mode) -> None:
    layer = nn.Dropout(0.25, dims=1)
    x = np.ones((2, 12, 3), np.float32)
    y, _ = run.lux(layer, x, {}, {"rng": words(3, 4), "training": True})
    assert rows(y[:, :, 0]) == ["x.x.xxx.xxx."] * 2
    same(y, np.broadcast_to(y[:1, :, :1], y.shape).copy())


def rows(y: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[str]:
    return ["".join("x" if cell else "." for cell in row) for row in y]


def test_api_15_two_dropouts_of_one_chain_draw_apart(run: Mode) -> None:
    model = nn.Chain(nn.Dropout(0.5), nn.Dropout(0.5))
    ps, st = setup(0, model)
    assert not np.array_equal(st["layer_1"]["rng"], st["layer_2"]["rng"])
    _, after = run.lux(model, ONES, ps, st)
    assert not np.array_equal(after["layer_1"]["rng"], st["layer_1"]["rng"])
    same(trainmode(in_test_mode(after)), after)
