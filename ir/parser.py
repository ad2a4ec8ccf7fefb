"""Read the text form of graphs.

    text      = graph [graph]                        (two: a Program, prepare first)
    graph     = "graph" "@"name calling "{" header node* update* return plan "}"
    header    = "mode" mode | "dim" name ":" int ".." int
              | ("input" | "param" | "state" | "data" | "prepared") value ":" type
              | "tree" section "=" tree
    node      = [value ":" type {"," ...}] "=" op "(" values ")" ["{" attributes "}"] body*
                ["at" path {"," path}] [string]
    body      = "(" [value ":" type {"," ...}] ")" "{" node* "yield" values "}"
    update    = "update" value "=" value
    return    = "return" values
    plan      = ["arena" int {"place" value "=" int}]
    type      = dtype "[" sizes "]"
    size      = sums and products of ints and dimension names, "//" and parentheses
    attribute = bool | int | hex float | string | dtype | size | "[" attributes "]"
              | "tree" tree
    tree      = "*" | "none" | static | "{" name ":" tree ... "}" | "[" trees "]"
              | "(" trees ")"

A comment runs from `;` to the end of the line. `str(parse(text))` is `text` again,
for any text that `str` wrote. Contents of `data` are not text: `arrays` hands them in.
"""

from collections.abc import Mapping

from lxc.errors import LxcError
from lxc.ir.attribute_reader import AttributeReader, unquote
from lxc.ir.dim import Dim
from lxc.ir.graph import Graph, Program
from lxc.ir.lexer import parse_error
from lxc.ir.node import NOWHERE, Body, Location, Node, Value
from lxc.ir.op import OPS, Attribute, Op
from lxc.ir.types import Array
from lxc.structure import EMPTY, LEAF, Structure

SECTIONS = ("input", "param", "state", "data", "prepared")
TREES = ("inputs", "params", "state", "outputs")
CALLINGS = ("lux", "kaun")
MODES = ("test", "train", "mixed")


def parse(text: str, arrays: Mapping[str, Array] | None = None) -> Graph | Program:
    """Return the graph or program that `text` describes; LXC-E0201 names a bad line."""
    parser = Parser(text, arrays or {})
    first = parser.graph()
    if parser.at_end():
        return first
    second = parser.graph()
    if not parser.at_end():
        raise parser.error("a program has two graphs")
    return Program(first, second)


def parse_graph(text: str, arrays: Mapping[str, Array] | None = None) -> Graph:
    """Return the one graph that `text` describes."""
    graph = parse(text, arrays)
    if isinstance(graph, Program):
        raise LxcError("LXC-E0201", "one graph is expected and the text holds a program")
    return graph


class Parser(AttributeReader):
    """Reads graphs; `values` are those that a line may use."""

    def __init__(self, text: str, arrays: Mapping[str, Array]) -> None:
        """Start at the first token."""
        super().__init__(text)
        self.arrays = arrays
        self.values: dict[str, Value] = {}

    def graph(self) -> Graph:
        """Read one graph."""
        self.values, self.dims = {}, {}
        name, calling, mode = self.title()
        sections, trees = self.header()
        nodes = self.nodes()
        state = sections["state"]
        changed = self.updates(state)
        self.expect("return")
        outputs = self.values_until_line_end()
        arena, places = self.plan()
        self.expect("}")
        return Graph(
            name=name,
            calling=calling,
            mode=mode,
            dims=tuple(self.dims.values()),
            inputs=sections["input"],
            params=sections["param"],
            state=state,
            data=sections["data"],
            prepared=sections["prepared"],
            nodes=nodes,
            outputs=outputs,
            updates=tuple(changed.get(value, value) for value in state),
            input_tree=trees.get("inputs", LEAF),
            param_tree=trees.get("params", EMPTY),
            state_tree=trees.get("state", EMPTY),
            output_tree=trees.get("outputs", LEAF),
            arrays={
                v.name: self.arrays[v.name]
                for v in sections["data"]
                if v.name in self.arrays
            },
            places=places,
            arena_bytes=arena,
        )

    def title(self) -> tuple[str, str, str]:
        """Read name, calling convention and mode."""
        self.expect("graph")
        if not self.token.text.startswith("@"):
            raise self.error(f"'@' and a name are expected, not {self.token.text!r}")
        name = self.next().text.removeprefix("@")
        if self.token.text not in CALLINGS:
            raise self.error(f"'lux' or 'kaun' is expected, not {self.token.text!r}")
        calling = self.next().text
        self.expect("{")
        mode = "test"
        if self.takes("mode"):
            if self.token.text not in MODES:
                raise self.error(f"there is no mode {self.token.text!r}")
            mode = self.next().text
        return name, calling, mode

    def header(self) -> tuple[dict[str, tuple[Value, ...]], dict[str, Structure]]:
        """Read the header lines, in any order."""
        sections: dict[str, tuple[Value, ...]] = dict.fromkeys(SECTIONS, ())
        trees: dict[str, Structure] = {}
        while True:
            if self.takes("dim"):
                self.dimension()
            elif self.takes("tree"):
                if self.token.text not in TREES or self.token.text in trees:
                    raise self.error(f"there is no section {self.token.text!r} left")
                section = self.next().text
                self.expect("=")
                trees[section] = self.tree()
            elif self.token.text in SECTIONS:
                section = self.next().text
                name = self.word("value", "a name with a sigil")
                sections[section] += (self.typed(name, name),)
            else:
                return sections, trees

    def dimension(self) -> None:
        """Read the bounds of a dimension."""
        line = self.token.line
        name = self.word("path", "the name of a dimension")
        if name in self.dims:
            raise parse_error(line, f"{name} is defined twice", self.text)
        self.expect(":")
        low = self.integer()
        self.expect("..")
        high = self.integer()
        try:
            self.dims[name] = Dim(name, low, high)
        except LxcError as problem:
            raise parse_error(line, problem.summary, self.text) from None

    def updates(self, state: tuple[Value, ...]) -> dict[Value, Value]:
        """Read the update lines."""
        changed: dict[Value, Value] = {}
        while self.takes("update"):
            target = self.value()
            if target not in state:
                raise self.error("only state can be updated")
            self.expect("=")
            changed[target] = self.value()
        return changed

    def plan(self) -> tuple[int | None, dict[Value, int]]:
        """Read the memory plan, if there is one."""
        places: dict[Value, int] = {}
        if not self.takes("arena"):
            return None, places
        arena = self.integer()
        while self.takes("place"):
            value = self.value()
            self.expect("=")
            places[value] = self.integer()
        return arena, places

    def nodes(self) -> tuple[Node, ...]:
        """Read nodes as long as there are any."""
        nodes: list[Node] = []
        while self.token.kind == "value" or self.sees("="):
            nodes.append(self.node())
        return tuple(nodes)

    def node(self) -> Node:
        """Read one node and check its types against the op's rule."""
        line = self.token.line
        results = self.definitions("=")
        name = self.word("path", "an op")
        op = OPS.get(name)
        if op is None:
            raise self.error(f"there is no op {name!r}")
        self.expect("(")
        operands = self.list_until(")", self.value)
        attributes = dict(self.list_until("}", self.attribute)) if self.takes("{") else {}
        bodies: list[Body] = []
        while self.takes("("):
            with self.one_level():
                bodies.append(self.body())
        location = self.location()
        self.check_parts(op, attributes, bodies, line)
        given = {**op.defaults, **attributes}
        complete = {name: given[name] for name in op.attributes}
        node = Node(op, operands, complete, results, tuple(bodies), location)
        self.check_types(node, line)
        return node

    def check_parts(
        self, op: Op, attributes: dict[str, Attribute], bodies: list[Body], line: int
    ) -> None:
        """Refuse attributes and bodies that the op does not have, and missing ones."""
        missing = [n for n in op.attributes if n not in attributes and n not in op.defaults]
        unknown = [name for name in attributes if name not in op.attributes]
        problems = [f"{op} has no {name!r}" for name in unknown]
        problems += [f"{name!r} is missing" for name in missing]
        if bool(bodies) != op.has_bodies:
            problems.append(
                f"{op} needs a body" if op.has_bodies else f"{op} takes no bodies"
            )
        if problems:
            raise parse_error(line, problems[0], self.text)

    def check_types(self, node: Node, line: int) -> None:
        """Run the type rule and compare it with what the text says."""
        operands = tuple(value.type for value in node.operands)
        try:
            inferred = node.op.infer(operands, node.attributes, node.bodies)
        except LxcError as problem:
            raise parse_error(line, str(problem.summary), self.text) from problem
        except (TypeError, ValueError, IndexError, AttributeError) as problem:
            raise parse_error(
                line, f"{node.op} does not take this: {problem}", self.text
            ) from None
        written = tuple(value.type for value in node.results)
        if inferred != written:
            types = ", ".join(map(str, inferred))
            raise parse_error(line, f"{node.op} gives {types} here", self.text)

    def body(self) -> Body:
        """Read a body after its opening parenthesis; it sees nothing from outside."""
        outside, self.values = self.values, {}
        parameters = self.definitions(")")
        self.expect("{")
        nodes = self.nodes()
        self.expect("yield")
        outputs = self.values_until_line_end()
        self.expect("}")
        self.values = outside | self.values
        return Body(parameters, nodes, outputs)

    def definitions(self, end: str) -> tuple[Value, ...]:
        """Read new numbered values with their types, up to and over `end`."""
        return self.list_until(
            end, lambda: self.typed(self.word("value", "a value such as '%0'"), "")
        )

    def typed(self, written: str, name: str) -> Value:
        """Read the type of a new value called `written` in the text, and remember it."""
        if written in self.values:
            raise self.error(f"{written} is defined twice")
        self.expect(":")
        self.values[written] = Value(self.type(), name)
        return self.values[written]

    def value(self) -> Value:
        """Read the name of a value that was defined before."""
        name = self.word("value", "a value")
        if name not in self.values:
            self.place -= 1
            raise self.error(f"{name} is not defined here")
        return self.values[name]

    def values_until_line_end(self) -> tuple[Value, ...]:
        """Read values between commas."""
        values: list[Value] = []
        while self.token.kind == "value":
            values.append(self.value())
            if not self.takes(","):
                break
        return tuple(values)

    def location(self) -> Location:
        """Read where a node comes from, if the text says so."""
        if not self.takes("at"):
            return NOWHERE
        layers: list[str] = []
        while self.token.kind in ("path", "integer"):
            layers.append(self.next().text)
            if not self.takes(","):
                break
        source = unquote(self.next().text) if self.token.kind == "string" else ""
        return Location(tuple(layers), source)
