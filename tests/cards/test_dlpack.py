"""Arrays shared with other libraries, by DLPack and by `__cuda_array_interface__`.

Memory of the emulated card is memory of the process. So a capsule whose struct is changed
to say so can be given to libraries that were built without CUDA.
"""

import gc
import weakref
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from torch.utils.dlpack import from_dlpack

from lxc.errors import LxcError
from lxc.runtime import CompiledModel
from lxc.runtime.cards import CardArray, dlpack
from tests.cards.toy import Emulated, leaves_of, memory_of
from tests.runtime.conftest import toy_result

Trees = tuple[dict[str, Any], dict[str, Any]]
Array = np.ndarray[Any, Any]
DTYPES = [*"?bhilBHILefd", ml_dtypes.bfloat16]
X = np.arange(20, dtype=np.float32).reshape(5, 4)


class AsIfOnHost:
    """An array of the card that says it lies in the memory of the host."""

    def __init__(self, array: CardArray, versioned: bool) -> None:
        self.array, self.versioned = array, versioned

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    def __dlpack__(self, **asked: Any) -> Any:
        version = (1, 0) if self.versioned else None
        capsule = self.array.__dlpack__(stream=1, max_version=version)
        dlpack.struct_in(capsule).tensor.device.type = 1
        return capsule


class Foreign:
    """An array of another library on the card; it notes what it is asked."""

    def __init__(self, array: CardArray, knows_versions: bool = True) -> None:
        self.array, self.knows_versions = array, knows_versions
        self.asked: list[dict[str, Any]] = []
        self.change: Any = lambda tensor: None

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if "max_version" in asked and not self.knows_versions:
            raise TypeError("unexpected keyword argument")
        capsule = self.array.__dlpack__(**asked)
        self.change(dlpack.struct_in(capsule).tensor)
        return capsule


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_other_libraries_see_what_is_on_the_card(
    model: CompiledModel, dtype: Any, versioned: bool
) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    there = model.to_machine(array)
    model.engine.library.wait(0)
    if dtype not in (ml_dtypes.bfloat16,):
        seen = np.from_dlpack(AsIfOnHost(there, versioned))
        np.testing.assert_array_equal(seen, array)
        assert seen.dtype == array.dtype
    if np.dtype(dtype).kind != "u" or np.dtype(dtype).itemsize == 1:
        tensor = from_dlpack(AsIfOnHost(there, versioned))
        assert tensor.data_ptr() == there.address
        assert tensor.shape == array.shape
        assert tensor.double().tolist() == array.astype(np.float64).tolist()


@pytest.mark.parametrize("shape", [(), (0, 4), (3,)])
def test_arrays_without_axes_or_elements_are_shared(
    model: CompiledModel, shape: tuple[int, ...]
) -> None:
    there = model.to_machine(np.ones(shape, np.float32))
    assert from_dlpack(AsIfOnHost(there, True)).tolist() == np.ones(shape).tolist()


@pytest.mark.parametrize("versioned", [False, True])
def test_memory_lives_as_long_as_the_last_who_shares_it(
    model: CompiledModel, versioned: bool
) -> None:
    there = model.to_machine(X)
    gone = weakref.ref(there.block)
    tensor = from_dlpack(AsIfOnHost(there, versioned))
    capsule = there.__dlpack__(max_version=(1, 0) if versioned else None)
    del there
    assert gone() is not None
    del tensor
    assert gone() is not None
    del capsule  # which nobody took
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("versioned", [False, True])
def test_a_capsule_that_an_error_drops_leaves_memory_and_error_alone(
    model: CompiledModel, versioned: bool
) -> None:
    arrays = [model.to_machine(X)]
    gone = weakref.ref(arrays[0].block)

    def made(number: int) -> Any:
        if number == 2:
            raise KeyError("the error")
        return arrays[0].__dlpack__(max_version=(1, 0) if versioned else None)

    with pytest.raises(KeyError, match="the error"):
        tuple(map(made, range(3)))
    arrays.clear()
    gc.collect()
    assert gone() is None


def test_memory_that_another_library_had_is_reused_when_all_streams_are_done(
    model: CompiledModel, card: Emulated, trees: Trees
) -> None:
    """The stream of the consumer still reads when the array is gone."""
    stream = card.stream()
    there = model.to_machine(X)
    place, size = there.address, there.nbytes
    capsule = there.__dlpack__(stream=stream)
    seen = np.zeros_like(X)
    pinned = leaves_of(model).pinned.array(X.shape, X.dtype)
    model.engine.library.download(pinned.ctypes.data, place, size, stream)
    del there, capsule
    again = model.to_machine(0 * X)
    assert again.address == place
    np.testing.assert_array_equal(again, 0 * X)
    seen[:] = pinned
    np.testing.assert_array_equal(seen, X)


def test_the_stream_of_the_consumer_waits(
    model: CompiledModel, card: Emulated, trees: Trees
) -> None:
    mine, theirs = card.stream(), card.stream()
    resident = model.to_machine(trees[1])
    y, _ = model(model.to_machine(X), trees[0], resident, stream=mine)
    capsule = y.__dlpack__(stream=theirs)
    seen = np.zeros_like(X)
    place = dlpack.struct_in(capsule).tensor.data
    model.engine.library.download(seen.ctypes.data, place, y.nbytes, theirs)
    np.testing.assert_array_equal(seen, toy_result(*trees, X))


def test_streams_and_devices_of_the_protocol(model: CompiledModel) -> None:
    there = model.to_machine(X)
    assert there.__dlpack_device__() == (2, 0)
    for stream in (None, -1, 1, 2):
        assert there.__dlpack__(stream=stream)
    with pytest.raises(BufferError):
        there.__dlpack__(stream=0)
    with pytest.raises(BufferError):
        there.__dlpack__(copy=True)
    with pytest.raises(BufferError):
        there.__dlpack__(dl_device=(2, 1))
    on_host = np.from_dlpack(there, device="cpu", copy=True)
    np.testing.assert_array_equal(on_host, X)


@pytest.mark.parametrize("knows_versions", [False, True])
def test_an_array_of_another_library_is_not_copied(
    model: CompiledModel, card: Emulated, trees: Trees, knows_versions: bool
) -> None:
    params, state = trees
    x = Foreign(model.to_machine(X), knows_versions)
    out = Foreign(model.to_machine(0 * X), knows_versions)
    handle = card.stream()
    resident = model.to_machine(state)
    model(x, params, resident)
    before = card["uploads"], card["downloads"]
    y, after = model(x, params, resident, out=out, stream=handle)
    assert (card["uploads"], card["downloads"]) == before
    assert (y, type(after["count"])) == (out, CardArray)
    assert x.asked[-1]["stream"] == out.asked[-1]["stream"] == handle
    assert x.asked[0]["stream"] == 1  # the default stream
    model.engine.library.wait(handle)
    np.testing.assert_array_equal(out.array, toy_result(*trees, X))


def test_what_another_library_owns_is_kept_until_the_call_is_done(
    model: CompiledModel, card: Emulated, trees: Trees
) -> None:
    stream = card.stream()
    given = model.to_machine(X)
    gone = weakref.ref(given.block)
    x = Foreign(given)
    y, _ = model(x, trees[0], model.to_machine(trees[1]), stream=stream)
    del given, x
    assert gone() is not None
    np.testing.assert_array_equal(y, toy_result(*trees, X))
    assert gone() is None


def test_params_of_another_library_are_read_at_every_call(
    model: CompiledModel, trees: Trees
) -> None:
    params, state = trees
    bias = model.to_machine(np.zeros(4, np.float32))
    mine = {"layer": {**params["layer"], "bias": Foreign(bias)}}
    x = model.to_machine(X)
    first = model(x, mine, state)[0].numpy()
    memory_of(bias)[:] = 1
    np.testing.assert_array_equal(model(x, mine, state)[0], first + 1)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda t: t.strides.__setitem__(0, 8), "LXC-E0501", "not contiguous"),
        (lambda t: setattr(t.device, "id", 3), "LXC-E0501", "lies on card 3"),
        (lambda t: setattr(t.dtype, "bits", 4), "LXC-E0501", "code 2 and 4 bits"),
        (lambda t: setattr(t.dtype, "lanes", 4), "LXC-E0501", "no access"),
        (lambda t: setattr(t.dtype, "code", 0), "LXC-E0501", "does not fit"),
    ],
)
def test_an_array_that_cannot_be_read_is_refused(
    model: CompiledModel, trees: Trees, change: Any, code: str, said: str
) -> None:
    x = Foreign(model.to_machine(X))
    x.change = change
    with pytest.raises(LxcError, match=said) as error:
        model(x, *trees)
    assert error.value.code == code


class Described:
    """An array that only the interface of Numba describes."""

    def __init__(self, array: CardArray, **changes: Any) -> None:
        self.array = array
        self.__cuda_array_interface__ = {**array.__cuda_array_interface__, **changes}


def test_arrays_of_numba_are_read_where_they_are(
    model: CompiledModel, card: Emulated, trees: Trees
) -> None:
    stream = card.stream()
    resident = model.to_machine(trees[1])
    made, _ = model(model.to_machine(X), trees[0], resident, stream=stream)
    made.owner.memory.written = None  # so that only the interface tells
    x = Described(made, stream=stream, strides=(16, 4))
    y, _ = model(x, trees[0], resident, stream=card.stream())
    assert isinstance(y, CardArray)
    np.testing.assert_array_equal(y, toy_result(*trees, toy_result(*trees, X)))
    with pytest.raises(LxcError, match="not contiguous"):
        model(Described(made, strides=(32, 4)), *trees)


def test_an_array_says_what_it_is(model: CompiledModel) -> None:
    there = model.to_machine(X)
    assert repr(there) == "CardArray(float32[5, 4], card 0)"
    assert (len(there), there.size, there.ndim, there.nbytes) == (5, 20, 2, 80)
    assert there.__cuda_array_interface__["stream"] == 1
    assert np.asarray(there, np.float64).dtype == np.float64
    assert bool(model.to_machine(np.array(True)))
    assert not model.to_machine(np.array(False))
    with pytest.raises(TypeError):
        len(model.to_machine(np.array(1.0)))
    with pytest.raises(ValueError, match="needs a copy"):
        np.asarray(there, copy=False)
    half = model.to_machine(np.ones(3, ml_dtypes.bfloat16))
    assert not hasattr(half, "__cuda_array_interface__")
