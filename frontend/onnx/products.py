"""Products of matrices."""

from collections.abc import Mapping
from typing import Any

from lxc.frontend.onnx.operator import Operator, binary, operator_of
from lxc.ir import functions as ops


def gemm(
    a: Any,
    b: Any,
    c: Any = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,  # noqa: N803 - ONNX' own name
    transB: int = 0,  # noqa: N803
) -> Any:
    """Return alpha * a @ b + beta * c, with a and b transposed if wanted."""
    y = ops.tensordot(a, b, ((0 if transA else 1,), (1 if transB else 0,)))
    y = y if alpha == 1 else ops.multiply(y, alpha)
    if c is None or beta == 0:
        return y
    return ops.add(y, c if beta == 1 else ops.multiply(c, beta))


def einsum(*inputs: Any, equation: str) -> Any:
    """Return the sum of products that an equation of labels describes."""
    return ops.einsum(equation, *inputs)


PRODUCTS: Mapping[str, Operator] = {
    "Einsum": operator_of(einsum),
    "Gemm": operator_of(gemm),
    "MatMul": binary(ops.matmul),
}
