"""What structural functions refuse, and how they say it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.ir import functions as ops
from tests.ir.structural_cases import V
from tests.ir.test_structural_edges import X
from tests.ir.traced import placeholders

REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: ops.take(x, [4], 0), "index 4 is outside of axis 0"),
    (lambda x: ops.take(x, [-5], 0), "index -5 is outside of axis 0"),
    (lambda x: ops.take(x, [0.5], 0), "indices are integers"),
    (lambda x: ops.take(x, [1], 0, mode="fill"), "no mode 'fill'"),
    (lambda x: ops.take(x, [1], 3), "there is no axis 3"),
    (lambda x: ops.take_along_axis(x, np.array([1]), 0), "one rank"),
    (lambda x: ops.lookup(x, np.array([-1])), "outside of the table"),
    (lambda x: ops.argmax(x[:, :0], 1), "no entries to choose from"),
    (lambda x: ops.cumulative_sum(x), "the axis must be named"),
    (lambda x: ops.diff(x, -1), "0 times or more"),
    (lambda x: ops.einsum("ij", x), "another rank than its labels"),
    (lambda x: ops.einsum("iij->", x), "one label and two sizes"),
    (lambda x: ops.einsum("abc,acd->d", x, x), "the label c has two sizes"),
    (lambda x: ops.einsum("abc->aad", x), "has a label twice"),
    (lambda x: ops.einsum("abc->d", x), "a label that no operand has"),
    (lambda x: ops.einsum("ab1->a", x), "labels of einsum are letters"),
    (lambda x: ops.einsum("abc,abc", x), "one operand for each list"),
    (lambda x: ops.einsum("a...->a", x), "lacks the ellipsis"),
    (lambda x: ops.einsum(x, 3), "a list of labels after each operand"),
    (lambda x: ops.pad(x, 1, mode="mean"), "no padding mode 'mean'"),
    (lambda x: ops.pad(x, ((1, 1), (2, 2))), "one pair, or one for each axis"),
    (lambda x: ops.pad(x[:, :0], 1, "edge"), "too few entries"),
    (lambda x: ops.split(x, 3), "do not fill the new shape"),
    (lambda x: ops.block([[x], x]), "nested to different depths"),
    (lambda x: ops.rot90(x, axes=(1, 1)), "two different axes"),
    (lambda x: ops.rollaxis(x, 0, 9), "no place 9"),
    (lambda x: ops.moveaxis(x, (0, 1), (2,)), "a place of its own"),
    (lambda x: ops.diagonal(x, 0, 1, 1), "two different axes"),
    (lambda x: ops.diag(x), "a vector or a matrix"),
    (lambda x: ops.cross(x, x), "vectors of three numbers"),
    (lambda x: ops.correlate(x, x), "both operands are vectors"),
    (lambda x: ops.convolve(V, V, "some"), "unknown mode"),
    (lambda x: ops.average(x, 1, np.ones(4)), "the weights do not fit"),
    (lambda x: ops.searchsorted(V, x, "middle"), "no side 'middle'"),
    (lambda x: ops.digitize(x, [1, 3, 2]), "bins rise or fall"),
    (lambda x: ops.select([x > 0], [x, x]), "every choice has its condition"),
    (lambda x: ops.choose(np.array([2]), [x, x]), "outside of 2 choices"),
    (lambda x: ops.choose(np.array([1]), [x, x], "fill"), "no mode 'fill'"),
    (lambda x: ops.meshgrid(V, V, indexing="yx"), "no indexing 'yx'"),
]


@pytest.mark.parametrize(("call", "summary"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_has_no_result_is_refused(call: Callable[[Any], Any], summary: str) -> None:
    with pytest.raises(LxcError, match=summary) as caught:
        call(X)
    assert caught.value.code == "LXC-E0103"


TRACED: list[tuple[Callable[[Any], Any], str, str]] = [
    (np.sort, "LXC-E0110", "numpy.sort of a tensor is not known"),
    (np.argsort, "LXC-E0110", "numpy.argsort of a tensor"),
    (np.unique, "LXC-E0110", "numpy.unique of a tensor"),
    (np.nonzero, "LXC-E0110", "numpy.nonzero of a tensor"),
    (np.median, "LXC-E0110", "numpy.median of a tensor"),
    (lambda x: x[x > 0], "LXC-E0110", "what a mask chooses"),
    (lambda x: x[0, True], "LXC-E0110", "what a mask chooses"),
    (lambda x: x["a"], "LXC-E0110", "an index by str"),
    (lambda x: x[0, 0, 0, 0], "LXC-E0103", "too many indices"),
    (lambda x: x[..., 0, ...], "LXC-E0103", "too many indices"),
    (lambda x: x[[9]], "LXC-E0103", "index 9 is outside of axis 0"),
    (lambda x: x[1.5], "LXC-E0110", "an index by float"),
    (lambda x: np.digitize(V, x), "LXC-E0104", "whether bins rise or fall"),
]


@pytest.mark.parametrize(("call", "code", "summary"), TRACED, ids=[t[2] for t in TRACED])
def test_what_tracing_cannot_know_is_refused(
    call: Callable[[Any], Any], code: str, summary: str
) -> None:
    (x,) = placeholders([X])
    with pytest.raises(LxcError, match=summary) as caught:
        call(x)
    assert caught.value.code == code


UNKNOWN: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: ops.delete(x, 1, 0), "must be known here"),
    (lambda x: ops.unstack(x), "must be known here"),
    (lambda x: ops.diagonal(x), "the length of the diagonal is not known"),
    (lambda x: ops.arange(x.shape[0]), "counted one by one, for a traced tensor"),
    (lambda x: ops.arange(0, x.shape[0], 2, like=x), "counted one by one"),
]


@pytest.mark.parametrize(("call", "summary"), UNKNOWN, ids=[text for _, text in UNKNOWN])
def test_what_needs_a_known_size_says_so(call: Callable[[Any], Any], summary: str) -> None:
    (x,) = placeholders([X], symbolic=True)
    with pytest.raises(LxcError, match=summary):
        call(x)
