"""What a kernel may not do."""

from typing import Literal

Kind = Literal[
    "bounds",
    "copy in flight",
    "divergence",
    "misaligned",
    "overlap",
    "race",
    "uninitialised",
]


class Fault(Exception):
    """A kernel does what has no defined result on a card."""

    def __init__(self, kind: Kind, where: str) -> None:
        super().__init__(f"{kind}: {where}")
        self.kind = kind
