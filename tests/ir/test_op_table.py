"""Every op is declared in full, once."""

import inspect

import pytest

from lxc.errors import InternalError, LxcError
from lxc.ir import functions
from lxc.ir.op import OPS, Op, op
from lxc.ir.types import Array, DType, TensorType

KINDS = {"elementwise", "view", "source", "reduction", "opaque", "structure"}
ALL = pytest.mark.parametrize("declared", OPS.values(), ids=str)


@ALL
def test_an_op_has_a_rule_a_reference_and_words(declared: Op) -> None:
    assert callable(declared.type_rule)
    assert declared.meaning is not None
    assert declared.kind in KINDS
    assert (declared.__doc__ or "").split()[0] in ("Return", "Run")
    assert OPS[declared.name] is declared


@ALL
def test_rule_and_reference_have_one_signature(declared: Op) -> None:
    assert declared.meaning is not None
    rule = inspect.signature(declared.type_rule).parameters
    meaning = inspect.signature(declared.meaning).parameters
    assert [(p.name, p.kind) for p in rule.values()] == [
        (p.name, p.kind) for p in meaning.values()
    ]


@ALL
def test_defaults_belong_to_attributes(declared: Op) -> None:
    assert set(declared.defaults) <= set(declared.attributes)


def operand_types(declared: Op, dtype: DType) -> list[TensorType]:
    types = [TensorType(dtype, (2,)) for _ in declared.operands]
    if declared.operands[0] == "condition":
        types[0] = types[0].with_dtype(DType.BOOL)
    return types


def takes(declared: Op, types: list[TensorType]) -> bool:
    numbers = {name: 0.5 for name, kind in declared.attributes.items() if kind is float}
    attributes = {"dtype": DType.F32, **numbers, **declared.defaults}
    kept = {name: attributes[name] for name in declared.attributes}
    try:
        (result,) = declared.infer(tuple(types), kept)
    except LxcError:
        return False
    return result.shape == types[0].shape


@pytest.mark.parametrize(
    "declared", [o for o in OPS.values() if o.kind == "elementwise"], ids=str
)
def test_an_elementwise_op_takes_one_shape_only(declared: Op) -> None:
    dtype = next(d for d in DType if takes(declared, operand_types(declared, d)))
    for place in range(1, len(declared.operands)):
        types = operand_types(declared, dtype)
        types[place] = types[place].with_shape((3,))
        assert not takes(declared, types)


def test_a_name_is_declared_once() -> None:
    def add(x: TensorType, y: TensorType) -> TensorType:
        """Return x."""
        return x

    with pytest.raises(InternalError, match="two ops have this name"):
        op(kind="elementwise")(add)


def test_a_reference_with_another_signature_is_refused() -> None:
    def halves(x: Array) -> Array:
        return x

    with pytest.raises(InternalError, match="reference's parameters"):
        OPS["add"].reference(halves)


def test_an_op_without_a_reference_says_so() -> None:
    def nameless(x: TensorType) -> TensorType:
        """Return x."""
        return x

    bare = Op("nameless", "elementwise", nameless, ("x",), False, {}, {}, False)
    with pytest.raises(InternalError, match="no reference"):
        bare.run((), {})


def test_public_functions_are_listed_once_and_exist() -> None:
    assert len(set(functions.__all__)) == len(functions.__all__)
    for name in functions.__all__:
        assert callable(getattr(functions, name)), name
        assert getattr(functions, name).__doc__, name
