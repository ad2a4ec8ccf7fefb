"""The nodes of an ONNX graph as steps; what is not covered is collected, not raised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from onnx import AttributeProto, NodeProto, defs

from lxc.errors import LxcError
from lxc.frontend.onnx.files import Tensors, damaged
from lxc.frontend.onnx.names import node_path
from lxc.frontend.onnx.operator import Operator
from lxc.frontend.onnx.program import Step
from lxc.frontend.onnx.registry import OPERATORS

DOMAINS = ("", "ai.onnx")


@dataclass
class Nodes:
    """Reads nodes one by one; `faults` says of each what lxc does not cover."""

    opset: int
    tensors: Tensors
    faults: list[str] = field(default_factory=list)
    paths: dict[str, int] = field(default_factory=dict)

    def step(self, node: NodeProto) -> Step | None:
        """Return a node as a step, or None if it is at fault."""
        path = self.unique(node_path(node.name) or f"{node.op_type or 'node'}")
        problems = self.problems(node)
        if problems:
            label = repr(node.name or f"of {', '.join(filter(None, node.output))}")[1:-1]
            version = f"opset {self.opset}" if node.domain in DOMAINS else node.domain
            self.faults += [
                f"{node.op_type} ({version}), node {label}: {problem}"
                for problem in problems
            ]
            return None
        return Step(
            node.op_type,
            OPERATORS[node.op_type],
            path,
            without_last_empty(node.input),
            without_last_empty(node.output),
            {a.name: self.value(a) for a in node.attribute},
            self.opset,
        )

    def unique(self, path: str) -> str:
        """Return a path that no node before has."""
        self.paths[path] = self.paths.get(path, 0) + 1
        count = self.paths[path]
        return path if count == 1 else self.unique(f"{path}_{count}")

    def problems(self, node: NodeProto) -> list[str]:
        """Return what keeps a node from being imported."""
        if node.domain not in DOMAINS:
            return ["the operator is of another domain"]
        try:
            schema = defs.get_schema(node.op_type, self.opset, "")
        except defs.SchemaError:
            return ["ONNX has no such operator"]
        if node.op_type not in OPERATORS or schema.deprecated:
            return ["the operator is not covered"]
        operator = OPERATORS[node.op_type]
        found = [
            *too_many("inputs", node.input, schema.min_input, schema.max_input),
            *too_many("outputs", node.output, schema.min_output, schema.max_output),
        ]
        beyond = [name for name in node.output[operator.outputs :] if name]
        if beyond:
            found.append(f"output {', '.join(beyond)} is not covered")
        spare = [name for name in node.input[len(operator.inputs) :] if name]
        if spare and not operator.variadic:
            found.append(f"input {', '.join(spare)} is not covered")
        given = {a.name: a for a in node.attribute}
        for name, expected in schema.attributes.items():
            if expected.required and name not in given:
                found.append(f"attribute {name} is missing")
        for name, attribute in given.items():
            found += self.attribute_problems(operator, schema, name, attribute)
        return found

    def attribute_problems(
        self, operator: Operator, schema: Any, name: str, attribute: AttributeProto
    ) -> list[str]:
        """Return what keeps an attribute from being imported."""
        if name not in schema.attributes:
            return [f"ONNX has no attribute {name} of it"]
        if attribute.ref_attr_name or attribute.type != schema.attributes[name].type.value:
            return [f"attribute {name} is of another type than ONNX says"]
        if name not in operator.attributes and name not in operator.inputs:
            return [f"attribute {name} is not covered"]
        allowed = operator.attributes.get(name)
        try:
            value = self.value(attribute)
        except LxcError as problem:
            return [f"attribute {name}: {problem.summary}"]
        if allowed is not None and value not in allowed:
            words = ", ".join(map(str, allowed))
            return [f"attribute {name} is {value}, and only {words} is covered"]
        return []

    def value(self, attribute: AttributeProto) -> Any:
        """Return the value of an attribute."""
        kind = AttributeProto.AttributeType
        match attribute.type:
            case kind.FLOAT:
                return float(attribute.f)
            case kind.INT:
                return int(attribute.i)
            case kind.STRING:
                return attribute.s.decode("utf-8", "replace")
            case kind.TENSOR:
                return self.tensors.array(attribute.t)
            case kind.FLOATS:
                return tuple(map(float, attribute.floats))
            case kind.INTS:
                return tuple(map(int, attribute.ints))
            case kind.STRINGS:
                return tuple(text.decode("utf-8", "replace") for text in attribute.strings)
        raise damaged(f"attribute {attribute.name} is neither number, text nor tensor")


def too_many(what: str, names: Sequence[str], least: int, most: int) -> list[str]:
    """Return what is wrong with the number of inputs or outputs."""
    given = len(names)
    return [] if least <= given <= most else [f"it has {given} {what}"]


def without_last_empty(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without the empty ones at the end, which stand for nothing."""
    found = tuple(names)
    while found and not found[-1]:
        found = found[:-1]
    return found
