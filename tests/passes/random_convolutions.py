"""Strategies for chains of convolutions with what stands between them in networks."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lxc.ir.builder import Builder
from lxc.ir.dim import Dim, expression
from lxc.ir.graph import Graph
from lxc.ir.node import Value
from lxc.ir.op import OPS
from lxc.ir.types import DType, TensorType
from lxc.structure import LEAF, Structure
from tests.ir.random_nodes import Draw

N = Dim("N", 1, 3)
CHANNELS = [1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 24, 32, 40]


class Chain:
    """A graph that grows at its last value; `spare` are earlier values of four axes."""

    def __init__(self, draw: Draw, rank: int) -> None:
        """Start with an input of a few channels."""
        self.draw = draw
        self.rank = rank
        self.build = Builder()
        self.params: list[Value] = []
        sizes = tuple(draw(st.integers(5, 8)) for _ in range(rank))
        shape = (expression(N), draw(st.sampled_from(CHANNELS)), *sizes)
        self.input = Value(TensorType(DType.F32, shape), "%x")
        self.last = self.input
        self.spare = [self.input]

    def add(self, op: str, *operands: Value, **attributes: Any) -> Value:
        return self.build.add(OPS[op], *operands, **attributes)[0]

    def move(self, value: Value) -> None:
        self.spare.append(self.last)
        self.last = value

    def param(self, *shape: int) -> Value:
        self.params.append(Value(TensorType(DType.F32, shape), f"@p{len(self.params)}"))
        return self.params[-1]

    @property
    def channels(self) -> int:
        entries = self.last.type.shape[1]
        assert isinstance(entries, int)
        return entries

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(int(str(entry)) for entry in self.last.type.shape[2:])

    def number(self, number: float) -> Value:
        return self.build.array(np.array(number, np.float32))

    def numbers(self, number: float) -> Value:
        shape = self.last.type.shape
        return self.add("broadcast", self.number(number), shape=shape, axes=())

    def padded(self, value: Value, low: list[int], high: list[int], fill: float) -> Value:
        none = (0,) * value.type.rank
        low_all, high_all = (0, 0, *low), (0, 0, *high)
        fill_value = self.number(fill)
        return self.add("pad", value, fill_value, low=low_all, high=high_all, interior=none)


def add_convolution(chain: Chain) -> None:
    """Convolve, most often with as many cells as before."""
    draw, channels = chain.draw, chain.channels
    dividers = [g for g in (1, 2, 4, 8, channels) if channels % g == 0]
    groups = draw(st.sampled_from([1, 1, *dividers]))
    outputs = draw(st.sampled_from([c for c in (*CHANNELS, groups) if c % groups == 0]))
    taps = [draw(st.sampled_from([1, 2, 3])) for _ in chain.sizes]
    spread = [draw(st.sampled_from([1, 1, 2])) for _ in chain.sizes]
    reach = [(k - 1) * d for k, d in zip(taps, spread, strict=True)]
    low = [draw(st.integers(0, entry)) for entry in reach]
    high = [entry - before for entry, before in zip(reach, low, strict=True)]
    x = chain.last
    if any(reach):
        x = chain.padded(x, low, high, 0.0)
    weight = chain.param(outputs, channels // groups, *taps)
    y = chain.add(
        "conv",
        x,
        weight,
        strides=tuple(draw(st.sampled_from([1, 1, 2])) for _ in taps),
        padding=((0, 0),) * chain.rank,
        lhs_dilation=(1,) * chain.rank,
        rhs_dilation=tuple(spread),
        groups=groups,
    )
    chain.move(y)


def add_vector(chain: Chain) -> None:
    """Combine with one number per channel."""
    op = chain.draw(st.sampled_from(["add", "multiply", "divide", "subtract"]))
    vector = chain.param(chain.channels)
    shape = chain.last.type.shape
    wide = chain.add("broadcast", vector, shape=shape, axes=(1,))
    operands = [chain.last, wide]
    if chain.draw(st.booleans()):
        wide = chain.add("add", wide, chain.numbers(0.5))
        operands = [chain.last, wide]
    chain.move(chain.add(op, *operands))


def add_activation(chain: Chain) -> None:
    """Apply a function, some of which have no finite value at zero."""
    names = ["exp", "relu", "log", "sigmoid", "reciprocal", "clamp"]
    name, x = chain.draw(st.sampled_from(names)), chain.last
    if name == "relu":
        y = chain.add("maximum", x, chain.numbers(0.0))
    elif name == "sigmoid":
        grown = chain.add("exp", chain.add("negate", x))
        y = chain.add(
            "divide", chain.numbers(1.0), chain.add("add", grown, chain.numbers(1.0))
        )
    elif name == "reciprocal":
        y = chain.add("divide", chain.numbers(1.0), x)
    elif name == "clamp":
        small = chain.add("less", x, chain.numbers(0.25))
        y = chain.add("select", small, chain.numbers(0.25), x)
    elif name == "log":
        y = chain.add("log", chain.add("absolute", x))
    else:
        y = chain.add("exp", chain.add("minimum", x, chain.numbers(1.0)))
    chain.move(y)


def add_residual(chain: Chain) -> None:
    """Add an earlier value, or a value that is computed from it."""
    same = [value for value in chain.spare if value.type == chain.last.type]
    if same:
        chain.move(chain.add("add", chain.last, chain.draw(st.sampled_from(same))))


def add_pool(chain: Chain) -> None:
    """Reduce windows, with padding that is a node."""
    draw = chain.draw
    kind = draw(st.sampled_from(["max", "add", "min"]))
    window = [min(draw(st.sampled_from([1, 2, 3])), entry) for entry in chain.sizes]
    edge = [draw(st.integers(0, entry - 1)) for entry in window]
    fill = {"max": -np.inf, "add": 0.0, "min": np.inf}[kind]
    x = chain.last
    if any(edge):
        x = chain.padded(x, edge, edge, fill)
    y = chain.add(
        "reduce_window",
        x,
        kind=kind,
        window=(1, 1, *window),
        strides=(1, 1, *(draw(st.sampled_from([1, 2])) for _ in window)),
        padding=((0, 0),) * (2 + chain.rank),
    )
    chain.move(y)


def add_squeeze(chain: Chain) -> None:
    """Scale each channel by something that follows from its mean."""
    x = chain.last
    axes = tuple(range(2, 2 + chain.rank))
    over = chain.draw(st.sampled_from([axes, (0, *axes), axes[:1]]))
    total = chain.add("reduce", x, kind="add", axes=over)
    kept = tuple(axis for axis in range(x.type.rank) if axis not in over)
    if chain.draw(st.booleans()):
        total = chain.add("tanh", total, fast=False)
    wide = chain.add("broadcast", total, shape=x.type.shape, axes=kept)
    chain.move(chain.add("multiply", x, wide))


def add_view(chain: Chain) -> None:
    """Move cells or channels around."""
    draw, x, sizes = chain.draw, chain.last, chain.sizes
    name = draw(
        st.sampled_from(["reverse", "slice", "concat", "channels", "take", "nearest"])
    )
    origin, ones = (0,) * x.type.rank, (1,) * x.type.rank
    if name == "reverse":
        y = chain.add("reverse", x, axes=(draw(st.integers(1, 1 + chain.rank)),))
    elif name == "slice":
        first = draw(
            st.sampled_from([entry for entry in (0, 4, 8) if entry < chain.channels])
        )
        last = draw(st.integers(first + 1, chain.channels))
        stop = (x.type.shape[0], last, *sizes)
        y = chain.add("slice", x, start=(0, first, *origin[2:]), stop=stop, step=ones)
    elif name == "concat":
        same = [v for v in chain.spare if v.type.shape[2:] == x.type.shape[2:]]
        other = draw(st.sampled_from([*same, x]))
        y = chain.add("concat", other, x, axis=1)
    elif name == "take":
        axis = draw(st.integers(2, 1 + chain.rank))
        places = draw(st.lists(st.integers(-1, 9), min_size=1, max_size=8))
        indices = chain.build.array(np.array(places, np.int64))
        y = chain.add("gather", x, indices, axis=axis, mode="clip")
    elif name == "channels":
        order = (0, *range(2, x.type.rank), 1)
        y = chain.add(
            "transpose",
            chain.add("transpose", x, permutation=order),
            permutation=(0, x.type.rank - 1, *range(1, x.type.rank - 1)),
        )
    elif max(sizes) > 8:
        return
    else:
        apart = (*x.type.shape[:3], 1, *sizes[1:])
        wide = (*x.type.shape[:3], 2, *sizes[1:])
        joined = (*x.type.shape[:2], sizes[0] * 2, *sizes[1:])
        repeated = chain.add(
            "broadcast",
            chain.add("reshape", x, shape=apart),
            shape=wide,
            axes=tuple(range(len(wide))),
        )
        y = chain.add("reshape", repeated, shape=joined)
    chain.move(y)


def add_shuffle(chain: Chain) -> None:
    """Take channels apart and put them next to each other along the first axis of cells."""
    x, sizes = chain.last, chain.sizes
    parts = [p for p in (2, 3) if chain.channels % p == 0]
    if not parts or max(sizes) > 8:
        return
    count = chain.draw(st.sampled_from(parts))
    samples, channels = x.type.shape[0], chain.channels // count
    apart = chain.add("reshape", x, shape=(samples, channels, count, *sizes))
    order = (0, 1, 3, 2, *range(4, x.type.rank + 1))
    turned = chain.add("transpose", apart, permutation=order)
    shape = (samples, channels, sizes[0] * count, *sizes[1:])
    chain.move(chain.add("reshape", turned, shape=shape))


PIECES: list[Callable[[Chain], None]] = [
    add_convolution,
    add_convolution,
    add_convolution,
    add_vector,
    add_activation,
    add_residual,
    add_pool,
    add_squeeze,
    add_view,
    add_shuffle,
]


@st.composite
def chains(draw: Draw) -> Graph:
    """Draw a graph of one to three dimensions with several outputs."""
    chain = Chain(draw, draw(st.sampled_from([1, 2, 2, 3])))
    add_convolution(chain)
    for piece in draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9)):
        piece(chain)
    outputs = [chain.last]
    if draw(st.booleans()):
        outputs.append(draw(st.sampled_from(chain.spare)))
    return Graph(
        name="chain",
        dims=(N,),
        inputs=(chain.input,),
        params=tuple(chain.params),
        nodes=tuple(chain.build.nodes),
        outputs=tuple(outputs),
        input_tree=LEAF,
        param_tree=Structure("tuple", (), (LEAF,) * len(chain.params)),
        output_tree=Structure("tuple", (), (LEAF,) * len(outputs)),
    )
