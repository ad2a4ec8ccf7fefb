"""Reading a signature from a manifest that may be hostile.

Unknown keys, too many leaves, repeated names, extents beyond 64 bits and trees that do not
fit their leaves are refused with a coded error.
"""

from typing import Any

from lxc.errors import LxcError
from lxc.runtime import extent
from lxc.runtime.schema import items, record, refusal, text
from lxc.runtime.signature import Dim, Group, Leaf, Signature, check
from lxc.structure import structure_from_json


def signature_from_json(value: Any) -> Signature:
    """Read back `Signature.to_json` and check every rule; trust nothing in `value`."""
    keys = {*Signature.__dataclass_fields__}
    fields = record(value, "signature", keys, keys)
    try:
        signature = Signature(
            text(fields["name"], "name"),
            text(fields["calling"], "calling"),
            text(fields["mode"], "mode"),
            tuple(dim_from_json(dim) for dim in items(fields["dims"], "dims")),
            group_from_json(fields["inputs"], "inputs"),
            group_from_json(fields["params"], "params"),
            group_from_json(fields["state"], "state"),
            group_from_json(fields["outputs"], "outputs"),
            tuple(leaf_from_json(leaf) for leaf in items(fields["data"], "data")),
        )
        check(signature)
    except RecursionError:
        raise refusal("a tree is nested too deeply") from None
    return signature


def group_from_json(value: Any, name: str) -> Group:
    """Read one tree with its leaves."""
    keys = {"tree", "leaves"}
    fields = record(value, name, keys, keys)
    try:
        tree = structure_from_json(fields["tree"])
    except LxcError as error:
        raise refusal(f"{name}: {error.summary}") from None
    return Group(
        tree, tuple(leaf_from_json(leaf) for leaf in items(fields["leaves"], name))
    )


def leaf_from_json(value: Any) -> Leaf:
    """Read one leaf."""
    required = {"name", "dtype", "shape"}
    fields = record(value, "leaf", required, required | {"frozen", "below"})
    if fields.get("frozen", True) is not True:
        raise refusal("frozen is either true or absent")
    shape = tuple(extent.from_json(axis) for axis in items(fields["shape"], "shape"))
    name, dtype = text(fields["name"], "name"), text(fields["dtype"], "dtype")
    below = fields.get("below")
    if "below" in fields and type(below) is not int:
        raise refusal("below is an integer or absent")
    return Leaf(name, dtype, shape, "frozen" in fields, below)


def dim_from_json(value: Any) -> Dim:
    """Read one dimension: name, low, high."""
    if isinstance(value, list) and len(value) == 3:
        name, low, high = value
        if isinstance(name, str) and type(low) is int and type(high) is int:
            return Dim(name, low, high)
    raise refusal("a dimension is not a name and two numbers")
