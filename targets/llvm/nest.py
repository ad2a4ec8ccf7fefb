"""Loops over whole axes and over pieces of axes, serial or shared by threads."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from lxc.targets.llvm.place import unravel
from lxc.targets.llvm.sizes import product
from lxc.targets.llvm.split import Pieces, total
from lxc.targets.llvm.writer import Writer
from lxc.targets.tvm_api import Index, as_index, modulo

Coordinates = tuple[Index, ...]
PieceBody = Callable[[Coordinates, tuple[tuple[Pieces, Index], ...]], None]


def walk(
    writer: Writer,
    extents: Sequence[Index],
    cut: Sequence[Sequence[Pieces]],
    body: PieceBody,
    *,
    parallel: bool,
) -> None:
    """Write `body` for all coordinates of `extents` and all pieces of every cut axis.

    The body gets, for every cut axis, the kind of piece and where this one starts. In
    parallel, one loop runs over everything, so that threads share all of the work. Nothing
    is written where there is nothing to do.
    """
    counts = (*extents, *(total(pieces) for pieces in cut))
    if any(isinstance(count, int) and count == 0 for count in counts):
        return
    if parallel:
        walk_flat(writer, extents, cut, body)
        return
    with ExitStack() as stack:
        counters = tuple(stack.enter_context(writer.loop(extent)) for extent in extents)
        walk_pieces(writer, cut, lambda chosen: body(counters, chosen))


def walk_pieces(
    writer: Writer,
    cut: Sequence[Sequence[Pieces]],
    body: Callable[[tuple[tuple[Pieces, Index], ...]], None],
    chosen: tuple[tuple[Pieces, Index], ...] = (),
) -> None:
    """Write loops over the pieces of the first cut axis, and so on inside."""
    if not cut:
        body(chosen)
        return
    for piece in cut[0]:
        with writer.loop(piece.count) as number:
            start = piece.start + number * piece.size
            walk_pieces(writer, cut[1:], body, (*chosen, (piece, start)))


def walk_flat(
    writer: Writer,
    extents: Sequence[Index],
    cut: Sequence[Sequence[Pieces]],
    body: PieceBody,
) -> None:
    """Write one parallel loop; the kind of every piece is chosen inside."""
    shape = [*extents, *(total(pieces) for pieces in cut)]
    with writer.loop(product(shape), parallel=True) as number:
        counters = unravel(number, shape)
        if shape and not isinstance(shape[0], int):
            counters = (modulo(counters[0], shape[0]), *counters[1:])
        if not all(isinstance(count, int) for count in shape):
            # Indices of symbolic sizes are long, and compilers take minutes to find out
            # that those of all uses are the same.
            counters = tuple(map(writer.name, counters, shape))
        outer, numbers = counters[: len(extents)], counters[len(extents) :]
        choose_pieces(writer, cut, numbers, lambda chosen: body(outer, chosen))


def choose_pieces(
    writer: Writer,
    cut: Sequence[Sequence[Pieces]],
    numbers: Sequence[Index],
    body: Callable[[tuple[tuple[Pieces, Index], ...]], None],
    chosen: tuple[tuple[Pieces, Index], ...] = (),
) -> None:
    """Write the choice of a piece of the first cut axis, and so on inside."""
    if not cut:
        body(chosen)
        return
    choose_kind(
        writer,
        cut[0],
        numbers[0],
        lambda pair: choose_pieces(writer, cut[1:], numbers[1:], body, (*chosen, pair)),
    )


def choose_kind(
    writer: Writer,
    kinds: Sequence[Pieces],
    number: Index,
    body: Callable[[tuple[Pieces, Index]], None],
) -> None:
    """Write the choice of the kind that piece `number` of an axis is of."""
    first, rest = kinds[0], kinds[1:]

    def here() -> None:
        start: Index = number * first.size
        if isinstance(first.start, int):
            body((first, first.start + start))
        else:
            body((first, first.start + writer.name(start, first.count * first.size)))

    if not rest:
        here()
        return
    writer.choose(
        as_index(number) < as_index(first.count),
        here,
        lambda: choose_kind(writer, rest, number - first.count, body),
    )
