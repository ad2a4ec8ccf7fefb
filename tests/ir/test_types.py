"""Element types and tensor types."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir.dim import Dim, size
from lxc.ir.types import DType, TensorSpec, TensorType, dtype_of, type_of_array


@pytest.mark.parametrize("dtype", list(DType), ids=str)
def test_an_element_type_and_its_numpy_type_name_each_other(dtype: DType) -> None:
    assert dtype_of(dtype.numpy) is dtype
    assert dtype_of(str(dtype)) is dtype
    assert dtype_of(dtype) is dtype
    assert dtype.bytes == np.empty(1, dtype.numpy).nbytes


def test_floats_and_integers_do_not_overlap() -> None:
    floats = {str(dtype) for dtype in DType if dtype.is_float}
    integers = {str(dtype) for dtype in DType if dtype.is_integer}
    assert floats == {"f16", "bf16", "f32", "f64"}
    assert integers == {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"}


@pytest.mark.parametrize("name", ["c64", "S4", object, np.complex64, None.__class__])
def test_an_element_type_that_is_missing_is_refused_with_the_list(name: Any) -> None:
    with pytest.raises(LxcError) as caught:
        dtype_of(name)
    assert caught.value.code == "LXC-E0103"
    assert "bf16" in str(caught.value.hint)


def test_types_are_equal_by_meaning() -> None:
    n = Dim("N", 1, 8)
    one = TensorType(DType.F32, (n + 1, 4))
    two = TensorType(DType.F32, (1 + n, 4))
    assert one == two
    assert hash(one) == hash(two)
    assert str(one) == "f32[N + 1, 4]"


def test_sizes_count_elements_and_bytes_at_the_upper_bound() -> None:
    n = Dim("N", 1, 8)
    symbolic = TensorType(DType.F16, (n * 2, 4))
    assert symbolic.element_count == n * 8
    assert symbolic.max_bytes == 8 * 8 * 2
    assert TensorType(DType.F64, ()).max_bytes == 8
    assert TensorType(DType.F64, (3, 0)).max_bytes == 0


def test_parts_of_a_type_can_be_replaced() -> None:
    start = TensorType(DType.F32, (2, 3))
    assert str(start.with_shape((6,))) == "f32[6]"
    assert str(start.with_dtype(DType.BOOL)) == "bool[2, 3]"
    assert start.rank == 2


def test_the_type_of_an_array_is_read_off() -> None:
    array = np.zeros((2, 3), ml_dtypes.bfloat16)
    assert str(type_of_array(array)) == "bf16[2, 3]"


def test_a_spec_takes_dims_and_numpy_types() -> None:
    n = Dim("N", 1, 8)
    assert TensorSpec((n, n * 2, 3), np.uint32).type == TensorType(
        DType.U32, (n + 0, n * 2, 3)
    )
    assert str(TensorSpec((2,)).type) == "f32[2]"


def test_a_bare_dimension_is_the_size_that_it_stands_for() -> None:
    dim = Dim("N", 1, 4)
    bare: Any = (dim, 3)
    assert TensorType(DType.F32, bare) == TensorType(DType.F32, (size(dim), 3))
