"""Models of sequences in JAX."""

from math import sqrt
from typing import Any

import jax
from jax import lax
from jax import numpy as jnp

from cpu_suite.jax_models.parts import (
    ACTIVATIONS,
    Function,
    Weights,
    dense,
    layer_norm,
    part,
)


def lstm(w: Weights, x: Any) -> Any:
    """Return the outputs of all steps; the product with x is made for all at once."""
    weight = w["weight_hh_l0"].T
    bias = w["bias_ih_l0"] + w["bias_hh_l0"]
    start = jnp.zeros((x.shape[1], weight.shape[0]))

    def step(carry: Any, from_input: Any) -> Any:
        hidden, memory = carry
        i, f, g, o = jnp.split(from_input + hidden @ weight, 4, -1)
        memory = jax.nn.sigmoid(f) * memory + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(memory)
        return (hidden, memory), hidden

    return lax.scan(step, (start, start), x @ w["weight_ih_l0"].T + bias)[1]


def gru(w: Weights, x: Any) -> Any:
    """Return the outputs of all steps."""
    weight = w["weight_hh_l0"].T
    start = jnp.zeros((x.shape[1], weight.shape[0]))

    def step(hidden: Any, from_input: Any) -> Any:
        here = jnp.split(from_input, 3, -1)
        back = jnp.split(hidden @ weight + w["bias_hh_l0"], 3, -1)
        r, z = (jax.nn.sigmoid(here[i] + back[i]) for i in range(2))
        hidden = (1 - z) * jnp.tanh(here[2] + r * back[2]) + z * hidden
        return hidden, hidden

    return lax.scan(step, start, x @ w["weight_ih_l0"].T + w["bias_ih_l0"])[1]


CELLS = {"lstm": lstm, "gru": gru}


def recurrent(w: Weights, cell: str, **sizes: int) -> Function:
    """Return the outputs of all steps."""
    return lambda x: CELLS[cell](part(w, "cell"), x)


def classifier(w: Weights, **sizes: int) -> Function:
    """Return a dense layer on the last output of an LSTM."""
    return lambda x: dense(w, "head.", lstm(part(w, "cell"), x)[-1])


def heads_of(x: Any, heads: int) -> Any:
    """Return [batch, time, width] as [batch, heads, time, width / heads]."""
    batch, time, width = x.shape
    return x.reshape(batch, time, heads, width // heads).swapaxes(1, 2)


def joined(x: Any) -> Any:
    """Return [batch, heads, time, size] as [batch, time, heads * size]."""
    batch, heads, time, size = x.shape
    return x.swapaxes(1, 2).reshape(batch, time, heads * size)


def attended(w: Weights, x: Any, heads: int) -> Any:
    """Return attention of a sequence to itself."""
    query, key, value = (
        heads_of(dense(w, f"{name}.", x), heads) for name in ("query", "key", "value")
    )
    factor = 1 / sqrt(query.shape[-1])
    scores = jax.nn.softmax(query @ key.swapaxes(-1, -2) * factor, -1)
    return dense(w, "out.", joined(scores @ value))


def attention(w: Weights, width: int, heads: int) -> Function:
    """Return attention alone."""
    return lambda x: attended(w, x, heads)


def bert(w: Weights, layers: int, width: int, heads: int, hidden: int) -> Function:
    """Return layers of BERT, one behind the other."""

    def forward(x: Any) -> Any:
        for place in range(layers):
            own = part(w, f"layers.{place}")
            mixed = attended(part(own, "attention"), x, heads)
            x = layer_norm(own, "norm1.", x + mixed)
            y = dense(own, "down.", ACTIVATIONS["gelu"](dense(own, "up.", x)))
            x = layer_norm(own, "norm2.", x + y)
        return x

    return forward


def step_of(w: Weights, x: Any, position: Any, caches: Any, heads: int) -> Any:
    """Return [batch, 1, width] and the caches of one layer of GPT."""
    normed = layer_norm(w, "norm1.", x)
    query, key, value = (
        heads_of(dense(w, f"{name}.", normed), heads) for name in ("query", "key", "value")
    )
    places = jnp.arange(caches[0].shape[2])
    here = (places == position)[:, None]
    keys, values = jnp.where(here, key, caches[0]), jnp.where(here, value, caches[1])
    scores = query @ keys.swapaxes(-1, -2) * (1 / sqrt(query.shape[-1]))
    scores = jax.nn.softmax(jnp.where(places <= position, scores, -1e9), -1)
    x = x + dense(w, "out.", joined(scores @ values))
    y = ACTIVATIONS["gelu"](dense(w, "up.", layer_norm(w, "norm2.", x)))
    return x + dense(w, "down.", y), keys, values


def gpt(w: Weights, layers: int, heads: int, **sizes: int) -> Function:
    """Return one step of a GPT and the caches after it."""

    def forward(token: Any, position: Any, *caches: Any) -> Any:
        x = (w["token.weight"][token] + w["place.weight"][position])[:, None]
        new = []
        for place in range(layers):
            own, pair = part(w, f"blocks.{place}"), caches[2 * place : 2 * place + 2]
            x, keys, values = step_of(own, x, position, pair, heads)
            new += [keys, values]
        return dense(w, "head.", layer_norm(w, "norm.", x))[:, 0], *new

    return forward
