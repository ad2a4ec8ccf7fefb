"""Models of sequences from lxc's layers; recurrent ones over [time, batch, features]."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

from cpu_suite.lxc_models.operators import Model
from lxc import nn, ops

CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}


@dataclass(frozen=True)
class Walk(nn.Layer):
    """A cell along the first axis: the outputs of all steps, or the last one."""

    cell: nn.RecurrentCell
    is_sequence: bool

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [time, batch, hidden], or [batch, hidden]."""
        carry, _ = self.cell.initial_carry(ps, {}, x[0])

        def step(carry: Any, x: Any) -> tuple[Any, Any]:
            (y, after), _ = self.cell((x, carry), ps, {})
            return after, y if self.is_sequence else None

        carry, outputs = ops.scan(step, carry, x)
        return (outputs if self.is_sequence else carry[0]), st


def recurrent(ps: Any, st: Any, cell: str, inputs: int, hidden: int) -> Model:
    """Return the outputs of all steps."""
    return Walk(CELLS[cell](inputs, hidden), True), ps["cell"], {}


def classifier(ps: Any, st: Any, inputs: int, hidden: int, classes: int) -> Model:
    """Return a dense layer on the last output of an LSTM."""
    chain = nn.Chain(Walk(nn.LSTMCell(inputs, hidden), False), nn.Dense(hidden, classes))
    ps = {"layer_1": ps["cell"], "layer_2": ps["head"]}
    return chain, ps, {"layer_1": {}, "layer_2": {}}


def heads_of(x: Any, heads: int) -> Any:
    """Return [batch, time, width] as [batch, heads, time, width / heads]."""
    batch, time, width = x.shape
    return ops.swapaxes(ops.reshape(x, (batch, time, heads, width // heads)), 1, 2)


def joined(x: Any) -> Any:
    """Return [batch, heads, time, size] as [batch, time, heads * size]."""
    batch, heads, time, size = x.shape
    return ops.reshape(ops.swapaxes(x, 1, 2), (batch, time, heads * size))


def norm(x: Any, ps: Any) -> Any:
    """Return the layer norm of the last axis."""
    return nn.LayerNorm(x.shape[-1], dims=-1, affine=True)(x, ps, {})[0]


def dense(x: Any, ps: Any, outputs: int, activation: Any = nn.identity) -> Any:
    """Return a dense layer of the last axis."""
    layer = nn.Dense(x.shape[-1], outputs, activation, use_bias="bias" in ps)
    return layer(x, ps, {})[0]


@dataclass(frozen=True)
class Attention(nn.Layer):
    """Attention of a sequence to itself, with biases."""

    width: int
    heads: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [batch, time, width]."""
        query, key, value = (
            heads_of(dense(x, ps[name], self.width), self.heads)
            for name in ("query", "key", "value")
        )
        factor = 1 / sqrt(self.width // self.heads)
        scores = ops.softmax(query @ ops.swapaxes(key, -1, -2) * factor, -1)
        return dense(joined(scores @ value), ps["out"], self.width), st


@dataclass(frozen=True)
class Encoder(nn.Layer):
    """One layer of BERT."""

    width: int
    heads: int
    hidden: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [batch, time, width]."""
        mixed, _ = Attention(self.width, self.heads)(x, ps["attention"], {})
        x = norm(x + mixed, ps["norm1"])
        y = dense(dense(x, ps["up"], self.hidden, nn.gelu_erf), ps["down"], self.width)
        return norm(x + y, ps["norm2"]), st


def attention(ps: Any, st: Any, width: int, heads: int) -> Model:
    """Return attention alone."""
    return Attention(width, heads), ps, {}


def bert(ps: Any, st: Any, layers: int, width: int, heads: int, hidden: int) -> Model:
    """Return layers of BERT, one behind the other."""
    made = [Encoder(width, heads, hidden) for _ in range(layers)]
    if layers == 1:
        return made[0], ps["layers"][0], {}
    ps = {f"layer_{i + 1}": ps["layers"][i] for i in range(layers)}
    return nn.Chain(*made), ps, {name: {} for name in ps}


@dataclass(frozen=True)
class CachedBlock(nn.Layer):
    """One layer of GPT that sees one new token; its state holds all older ones."""

    width: int
    heads: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return [batch, 1, width] for (x, position), and the caches with the new token."""
        x, position = x
        normed = norm(x, ps["norm1"])
        query, key, value = (
            heads_of(dense(normed, ps[name], self.width), self.heads)
            for name in ("query", "key", "value")
        )
        time = st["keys"].shape[2]
        places = ops.arange(time, dtype="int32", like=position)
        here = ops.reshape(places == position, (time, 1))
        keys = ops.where(here, key, st["keys"])
        values = ops.where(here, value, st["values"])
        scores = query @ ops.swapaxes(keys, -1, -2) * (1 / sqrt(self.width // self.heads))
        scores = ops.where(places <= position, scores, -1e9)
        mixed = joined(ops.softmax(scores, -1) @ values)
        x = x + dense(mixed, ps["out"], self.width)
        y = dense(norm(x, ps["norm2"]), ps["up"], 4 * self.width, nn.gelu_erf)
        return x + dense(y, ps["down"], self.width), {"keys": keys, "values": values}


@dataclass(frozen=True)
class Decoder(nn.Layer):
    """One step of a GPT: the logits after one more token."""

    layers: int
    width: int
    heads: int
    vocab: int
    time: int

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return the logits for (token, position), and the state of all layers."""
        token, position = x
        y, _ = nn.Embedding(self.vocab, self.width)(token, ps["token"], {})
        place, _ = nn.Embedding(self.time, self.width)(position, ps["place"], {})
        y = ops.reshape(y + place, (1, 1, self.width))
        new = []
        for place, state in enumerate(st):
            block = CachedBlock(self.width, self.heads)
            y, kept = block((y, position), ps["blocks"][place], state)
            new.append(kept)
        logits = dense(norm(y, ps["norm"]), ps["head"], self.vocab)
        return ops.reshape(logits, (1, self.vocab)), new


def decoder(ps: Any, st: Any, **sizes: int) -> Model:
    """Return one step of a GPT; its state is filled in from the inputs of the case."""
    return Decoder(**sizes), ps, {}
