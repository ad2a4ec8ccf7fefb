"""Loops over whole axes and over pieces of axes, serial or shared by threads."""

from collections.abc import Callable, Sequence
from typing import Any

from lxc.targets.kernels.place import unravel
from lxc.targets.kernels.sizes import product
from lxc.targets.kernels.split import Panels, Pieces, total
from lxc.targets.kernels.writer import Writer
from lxc.targets.tvm_api import Expr, Index, as_index, modulo, select

Coordinates = tuple[Index, ...]
Cut = Sequence[Pieces] | Sequence[Panels]
PieceBody = Callable[[Coordinates, tuple[tuple[Any, Index], ...]], None]
EntryBody = Callable[[tuple[Any, ...]], None]


def walk(
    writer: Writer,
    extents: Sequence[Index],
    cut: Sequence[Cut],
    body: PieceBody,
    *,
    parallel: bool,
) -> None:
    """Write `body` for all coordinates of `extents` and all pieces of every cut axis.

    The body gets, for every cut axis, the kind of piece and where this one starts.
    """
    split = len(extents)
    walk_axes(
        writer,
        [*extents, *cut],
        lambda entries: body(entries[:split], entries[split:]),
        parallel=parallel,
    )


def walk_axes(
    writer: Writer, axes: Sequence[Index | Cut], body: EntryBody, *, parallel: bool
) -> None:
    """Write `body` for all entries of the axes, the last axis innermost.

    An axis is an extent, whose entries are numbers, or it is cut into pieces, whose entries
    are the kind of a piece and where this one starts. In parallel, one loop runs over
    everything, so that threads share all of the work. Nothing is written where there is
    nothing to do.
    """
    counts = [total(axis) if isinstance(axis, Sequence) else axis for axis in axes]
    if any(isinstance(count, int) and count == 0 for count in counts):
        return
    if parallel:
        walk_flat(writer, axes, counts, body)
    else:
        walk_nested(writer, axes, body)


def walk_nested(
    writer: Writer,
    axes: Sequence[Index | Cut],
    body: EntryBody,
    chosen: tuple[Any, ...] = (),
) -> None:
    """Write loops over the entries of the first axis, and so on inside."""
    if not axes:
        body(chosen)
        return
    axis = axes[0]
    if not isinstance(axis, Sequence):
        with writer.loop(axis) as counter:
            walk_nested(writer, axes[1:], body, (*chosen, counter))
        return
    for piece in axis:
        with writer.loop(piece.count) as number:
            start = piece.start + number * piece.size
            walk_nested(writer, axes[1:], body, (*chosen, (piece, start)))


def walk_flat(
    writer: Writer,
    axes: Sequence[Index | Cut],
    shape: Sequence[Index],
    body: EntryBody,
) -> None:
    """Write one parallel loop; the kind of every piece is chosen inside."""
    with writer.loop(product(shape), parallel=True) as number:
        counters = unravel(number, shape)
        if shape and not isinstance(shape[0], int):
            counters = (modulo(counters[0], shape[0]), *counters[1:])
        if not all(isinstance(count, int) for count in shape):
            # Indices of symbolic sizes are long, and compilers take minutes to find out
            # that those of all uses are the same.
            counters = tuple(map(writer.name, counters, shape))
        choose_entries(writer, axes, counters, body)


def walk_one_of(
    writer: Writer,
    axes: Sequence[Index | Cut],
    order: Sequence[int],
    condition: Expr,
    body: EntryBody,
) -> None:
    """Write `body` for all entries of the axes in a loop that threads share.

    Where the condition holds, the last axis is innermost; elsewhere the axes stand in
    another order, the first of which is the outermost.
    """
    counts = [total(axis) if isinstance(axis, Sequence) else axis for axis in axes]
    with writer.loop(product(counts), parallel=True) as number:
        plain = unravel(number, counts)
        turned = unravel(number, [counts[axis] for axis in order])
        counters: list[Index] = [0] * len(axes)
        for place, axis in enumerate(order):
            if counts[axis] != 1:
                chosen = select(condition, plain[axis], turned[place])
                counters[axis] = writer.name(chosen, counts[axis])
        choose_entries(writer, axes, counters, body)


def choose_entries(
    writer: Writer,
    axes: Sequence[Index | Cut],
    numbers: Sequence[Index],
    body: EntryBody,
    chosen: tuple[Any, ...] = (),
) -> None:
    """Write the choice of a piece of the first cut axis, and so on inside."""
    if not axes:
        body(chosen)
        return
    axis = axes[0]

    def rest(entry: Any) -> None:
        choose_entries(writer, axes[1:], numbers[1:], body, (*chosen, entry))

    if isinstance(axis, Sequence):
        choose_kind(writer, axis, numbers[0], rest)
    else:
        rest(numbers[0])


def choose_kind(
    writer: Writer,
    kinds: Cut,
    number: Index,
    body: Callable[[tuple[Any, Index]], None],
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
