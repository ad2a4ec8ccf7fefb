"""ONNX' own test cases: every operator that lxc covers does what its case says.

The cases of operators that lxc has not are refused, and so are element types that it has
not. What `DIFFERENT` lists is left out, each for the reason given there.
"""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

import lxc
from lxc.errors import LxcError
from lxc.frontend.onnx.reader import load_onnx, needed_known
from lxc.frontend.onnx.registry import OPERATORS
from lxc.ir.evaluate import evaluate
from lxc.ir.types import Array
from lxc.tree import flatten
from tests.onnx.graphs import argument

TRAINING = "it is of training, which is no part of a model that is imported"
FLOAT_LENGTH = (
    "it takes size * scale for the new size, where torch and onnxruntime round it"
)
DIFFERENT = {
    "test_training_dropout": TRAINING,
    "test_training_dropout_default": TRAINING,
    "test_training_dropout_default_mask": TRAINING,
    "test_training_dropout_mask": TRAINING,
    "test_resize_downsample_scales_cubic_align_corners": FLOAT_LENGTH,
    "test_resize_downsample_scales_linear_align_corners": FLOAT_LENGTH,
}
WITHOUT_CASE = {"GlobalLpPool"}
"""Compared with onnxruntime instead."""
WIDE = {"float16": 2e-3, "bfloat16": 2e-2}
"""Half types are computed in float32 here, and rounded step by step in the cases."""


def cases() -> list[Any]:
    """Return the cases of single operators; functions' bodies are other operators again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = load_model_tests(kind="node")
    return [case for case in found if "_expanded" not in case.name]


def array_of(value: Any) -> Array:
    """Return an array that a case holds as such or as a message."""
    return np.asarray(numpy_helper.to_array(value) if hasattr(value, "dims") else value)


def refused(case: Any, path: Path) -> bool:
    """Return whether lxc refuses the model of a case, written to `path`."""
    for entry in case.model.opset_import:
        if entry.domain == "":
            entry.version = max(entry.version, 13)
    path.write_bytes(case.model.SerializeToString())
    try:
        load_onnx(path)
        return False
    except LxcError as error:
        code = error.code
    assert code == "LXC-E0114", case.name
    return True


def results(case: Any, arrays: dict[str, Array], path: Path) -> list[Array]:
    """Return what the traced model of a case computes.

    Inputs that shapes follow from become constants of the file, as exporters write them. A
    case of nothing else runs on arrays, where everything is known.
    """
    model = load_onnx(path)
    ps, st = lxc.setup(0, model)
    needed = needed_known(model.program.steps)
    names = [entry.name for entry in model.program.inputs]
    if set(names) <= needed:
        y, _ = model(argument(model, arrays), ps, st)
        return [np.asarray(leaf) for leaf in flatten(y)[0]]
    for name in needed & set(names):
        constant = numpy_helper.from_array(arrays[name], name)
        case.model.graph.initializer.append(constant)
    path.write_bytes(case.model.SerializeToString())
    model = load_onnx(path)
    ps, st = lxc.setup(0, model)
    x = argument(model, arrays)
    graph = lxc.trace(model, x, ps, st)
    return list(evaluate(graph, flatten(x)[0], flatten(ps)[0])[0])


def check(case: Any, path: Path) -> None:
    """Compare what the model of a case computes with what the case says."""
    ((given, wanted),) = case.data_sets
    names = [value.name for value in case.model.graph.input]
    arrays = dict(zip(names, map(array_of, given), strict=False))
    found = results(case, arrays, path)
    for one, other in zip(found, map(array_of, wanted), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), case.name
        rtol = max(case.rtol, WIDE.get(other.dtype.name, 0))
        if other.dtype.name in WIDE:
            one, other = one.astype(np.float32), other.astype(np.float32)
        atol = max(case.atol, 1e-6)
        np.testing.assert_allclose(one, other, rtol, atol, err_msg=case.name)


def test_operators_do_what_the_cases_of_onnx_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally: Counter[str] = Counter()
    passed: set[str] = set()
    problems = []
    for case in cases():
        kinds = {node.op_type for node in case.model.graph.node}
        if refused(case, tmp_path / "m.onnx") or case.name in DIFFERENT:
            tally["refused" if case.name not in DIFFERENT else "different"] += 1
            continue
        try:
            check(case, tmp_path / "m.onnx")
            passed |= kinds
            tally["passed"] += 1
        except (AssertionError, LxcError) as error:
            unknown_type = isinstance(error, LxcError) and "element types" in str(error)
            tally["refused" if unknown_type else "failed"] += 1
            if not unknown_type:
                problems.append(f"{case.name}: {error}")
    with capsys.disabled():
        print(f" cases of ONNX: {dict(tally)}", end="")
    assert not problems, "\n".join(problems)
    assert tally["passed"] > 900
    assert set(OPERATORS) - passed == WITHOUT_CASE
