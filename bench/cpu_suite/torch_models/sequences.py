"""Models of sequences in torch: recurrent ones over [time, batch, features], attention."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """The outputs of all steps."""

    def __init__(self, cell: str, inputs: int, hidden: int) -> None:
        """Take the cell and its sizes."""
        super().__init__()
        self.cell = RECURRENT[cell](inputs, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return [time, batch, hidden]."""
        outputs: Tensor = self.cell(x)[0]
        return outputs


class Classifier(nn.Module):
    """A dense layer on the last output of an LSTM."""

    def __init__(self, inputs: int, hidden: int, classes: int) -> None:
        """Take sizes."""
        super().__init__()
        self.cell = nn.LSTM(inputs, hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.head(self.cell(x)[0][-1])
        return logits


def heads_of(x: Tensor, heads: int) -> Tensor:
    """Return [batch, time, width] as [batch, heads, time, width / heads]."""
    batch, time, width = x.shape
    return x.view(batch, time, heads, width // heads).transpose(1, 2)


def joined(x: Tensor) -> Tensor:
    """Return [batch, heads, time, size] as [batch, time, heads * size]."""
    batch, heads, time, size = x.shape
    return x.transpose(1, 2).reshape(batch, time, heads * size)


class Attention(nn.Module):
    """Attention of a sequence to itself, with biases."""

    def __init__(self, width: int, heads: int) -> None:
        """Take sizes."""
        super().__init__()
        self.heads, self.factor = heads, 1 / sqrt(width // heads)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return [batch, time, width]."""
        query, key = heads_of(self.query(x), self.heads), heads_of(self.key(x), self.heads)
        scores = torch.softmax(query @ key.transpose(-1, -2) * self.factor, -1)
        mixed = scores @ heads_of(self.value(x), self.heads)
        out: Tensor = self.out(joined(mixed))
        return out


class Encoder(nn.Module):
    """One layer of BERT: norms behind the skips."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        """Take sizes."""
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return [batch, time, width]."""
        x = self.norm1(x + self.attention(x))
        y: Tensor = self.norm2(x + self.down(functional.gelu(self.up(x))))
        return y


class Stack(nn.Module):
    """Layers of BERT, one behind the other."""

    def __init__(self, layers: int, width: int, heads: int, hidden: int) -> None:
        """Take sizes."""
        super().__init__()
        made = [Encoder(width, heads, hidden) for _ in range(layers)]
        self.layers = nn.Sequential(*made)

    def forward(self, x: Tensor) -> Tensor:
        """Return [batch, time, width]."""
        y: Tensor = self.layers(x)
        return y


class CachedBlock(nn.Module):
    """One layer of GPT that sees one new token, and all older ones through its caches."""

    def __init__(self, width: int, heads: int) -> None:
        """Take sizes."""
        super().__init__()
        self.heads, self.factor = heads, 1 / sqrt(width // heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, position: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return [batch, 1, width] and the caches with the new token at its position."""
        normed = self.norm1(x)
        query, key = (heads_of(f(normed), self.heads) for f in (self.query, self.key))
        places = torch.arange(keys.shape[2], dtype=torch.int32)[:, None]
        keys = torch.where(places == position, key, keys)
        values = torch.where(
            places == position, heads_of(self.value(normed), self.heads), values
        )
        scores = query @ keys.transpose(-1, -2) * self.factor
        scores = torch.where(places[:, 0] <= position, scores, -1e9)
        x = x + self.out(joined(torch.softmax(scores, -1) @ values))
        return x + self.down(functional.gelu(self.up(self.norm2(x)))), keys, values


class Decoder(nn.Module):
    """One step of a GPT: the logits after one more token, and the caches with it."""

    def __init__(self, layers: int, width: int, heads: int, vocab: int, time: int) -> None:
        """Take sizes; `time` is that of the caches."""
        super().__init__()
        self.token = nn.Embedding(vocab, width)
        self.place = nn.Embedding(time, width)
        self.blocks = nn.ModuleList([CachedBlock(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)

    def forward(
        self, token: Tensor, position: Tensor, *caches: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the logits and all caches: keys and values, layer by layer."""
        x = self.token(token)[:, None] + self.place(position)[:, None]
        new: list[Tensor] = []
        pairs = zip(caches[::2], caches[1::2], strict=True)
        for block, (keys, values) in zip(self.blocks, pairs, strict=True):
            x, keys, values = block(x, position, keys, values)
            new += [keys, values]
        return self.head(self.norm(x))[:, 0], *new
