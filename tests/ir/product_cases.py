"""Calls of products of every kind, to compare with NumPy."""

import numpy as np

from tests.ir.function_cases import Case, Table
from tests.ir.structural_cases import B, I, K, P, U, called


def product_cases(table: Table) -> None:
    """Add products."""
    for x, y in ((I, I), (I[0], I), (I, np.int32(3))):
        called(table, "inner", (x, np.asarray(y)), "x, y")
    called(table, "outer", (P, I), "x, y")
    called(table, "vdot", (I, I), "x, y")
    called(table, "vecdot", (K, K[:1]), "x, y", "x, y[0]")
    called(table, "matvec", (K, K[0, 0]), "x, y")
    called(table, "vecmat", (K[0, :, 0], K), "x, y")
    called(table, "kron", (I, K[0]), "x, y")
    called(table, "kron", (P, I), "x, y", "y, x")
    called(table, "kron", (K, I), "x, y")
    called(table, "dot", (I, I.T), "x, y", "x, np.int32(3)", "np.int32(2), y")
    called(table, "dot", (K, K), "x, y[0].T", "x, y.transpose(0, 2, 1)")
    called(
        table, "tensordot", (K, K), "x, y, 0", "x, y, ((0, 2), [0, 2])", "x, y, ([1], 1)"
    )
    called(table, "matmul", (B, B.T), "x, y")
    called(table, "matmul", (K[:, None], K.transpose(0, 2, 1)), "x, y")
    called(table, "cross", (I[:, :3], K[0, :, :3]), "x, y", "x.T, y.T, axis=0")
    for name in ("convolve", "correlate"):
        for mode in ("valid", "same", "full"):
            for count in (1, 2, 3, 4, 7):
                called(table, name, (P, np.arange(count)), f"x, y, '{mode}'")
            called(table, name, (np.arange(4), P), f"x, y, '{mode}'")
            called(table, name, (np.arange(3), P), f"x, y, mode='{mode}'")


def einsum_cases(table: Table) -> None:
    """Add sums of products by subscripts."""
    add = table.add
    square = np.random.default_rng(4).integers(-3, 4, (3, 3, 3))
    for text, arrays in (
        ("ij,jk->ik", (I, I.T)),
        ("ij,jk", (I, I.T)),
        ("ij,ij", (I, I)),
        ("ij->ji", (I,)),
        ("ji", (I,)),
        ("ij->", (I,)),
        ("ij->j", (I,)),
        ("ii", (square[0],)),
        ("ii->i", (square[0],)),
        ("iii->i", (square,)),
        ("iij->ji", (square,)),
        ("iji,j->i", (square, square[0, 0])),
        ("i,j->ij", (P, P)),
        ("bij,bjk->bik", (K, K.transpose(0, 2, 1))),
        ("bij,bkj->kb", (K, K)),
        ("bhqd,bhkd->bhqk", (K[None], K[None])),
        ("ij,jk,kl->il", (I, I.T, I)),
        ("i,j,ij->", (I[:, 0], I[0], I)),
        ("...ij,...jk->...ik", (K, K[0].T)),
        ("...i->...", (K,)),
        ("i...,i...", (K, K)),
        ("...,...", (K, I[:, :1])),
        ("ij , jk -> ki", (I, I.T)),
        (",ij->ij", (np.array(3), I)),
        ("ij,ij->ij", (I, I[:1])),
        ("ij,j->i", (I, I[0, :1])),
        ("zi,Za->iaZz", (I, K[0])),
        ("ij,jk->ik", (B, B.T)),
        ("ij,jk->ik", (U, U.T)),
        ("ab,bc,cd,de->ae", (I, I.T, I, I.T)),
    ):
        add("einsum", arrays, lambda m, *xs, text=text: m.einsum(text, *xs))
    called(table, "einsum", (I, I), "x, [0, 1], y, [2, 1], [0, 2]", "x, [0, 1], y, [0, 1]")
    called(table, "einsum", (K,), "x, [..., 5], [5, ...]", "x, [2, 0, 1]")
    called(table, "einsum", (I, I), "'ij,kj', x, y, dtype=np.float64")


def cases() -> list[Case]:
    """Return all cases."""
    table = Table()
    product_cases(table)
    einsum_cases(table)
    return table.cases
