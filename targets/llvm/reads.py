"""Which parameters the hot path reads itself, beside what prepare made of them."""

from collections.abc import Iterator

from lxc.ir.graph import Program
from lxc.ir.node import Value, walk


def unread_params(program: Program) -> frozenset[int]:
    """Return the places of params and constants that only prepare reads.

    A prepared value that has no memory of its own is a param as it is.
    """
    prepare, run = program.prepare, program.run
    read = set(values_read(program))
    after = (*run.params, *run.data)
    before = (*prepare.params, *prepare.data)
    same = dict(zip(before, after, strict=True))
    for value, made in zip(run.prepared, prepare.outputs, strict=True):
        if made not in prepare.places and value in read:
            read.add(same.get(made, made))
    return frozenset(place for place, value in enumerate(after) if value not in read)


def values_read(program: Program) -> Iterator[Value]:
    """Yield what nodes of the hot path and its results read."""
    yield from program.run.results
    for node in walk(program.run.nodes):
        yield from node.operands
        for body in node.bodies:
            yield from body.outputs
