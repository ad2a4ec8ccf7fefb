"""Functions on arrays and traced tensors, with NumPy's names and meaning: `lxc.ops`."""

from lxc.ir.functions import elementwise
from lxc.ir.functions.axes import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    fliplr,
    flipud,
    matrix_transpose,
    rollaxis,
    rot90,
)
from lxc.ir.functions.closeness import (
    allclose,
    array_equal,
    isclose,
)
from lxc.ir.functions.creation import (
    arange,
    full,
    indices,
    linspace,
    meshgrid,
    one_hot,
    ones,
    zeros,
)
from lxc.ir.functions.cumulative import (
    cumprod,
    cumsum,
    cumulative_prod,
    cumulative_sum,
    diff,
    ediff1d,
    nancumprod,
    nancumsum,
    trapezoid,
)
from lxc.ir.functions.diagonals import (
    diag,
    diagflat,
    diagonal,
    eye,
    identity,
    trace,
    tri,
    tril,
    triu,
)
from lxc.ir.functions.einsum import (
    einsum,
)
from lxc.ir.functions.elementwise import *  # noqa: F403 - the same names, one list
from lxc.ir.functions.gather import (
    lookup,
    take,
    take_along_axis,
)
from lxc.ir.functions.joining import (
    append,
    array_split,
    block,
    column_stack,
    delete,
    dsplit,
    dstack,
    hsplit,
    hstack,
    unstack,
    vsplit,
    vstack,
)
from lxc.ir.functions.linear import conv, dot, matmul, tensordot
from lxc.ir.functions.padding import (
    pad,
)
from lxc.ir.functions.products import (
    convolve,
    correlate,
    cross,
    inner,
    kron,
    matvec,
    outer,
    vdot,
    vecdot,
    vecmat,
)
from lxc.ir.functions.random import (
    random_bits,
    random_normal,
    random_split,
    random_uniform,
)
from lxc.ir.functions.reduce import (
    all,
    any,
    log_softmax,
    max,
    mean,
    min,
    prod,
    softmax,
    std,
    sum,
    var,
)
from lxc.ir.functions.repeating import (
    repeat,
    roll,
    tile,
)
from lxc.ir.functions.scan import scan
from lxc.ir.functions.searching import (
    argmax,
    argmin,
    choose,
    digitize,
    isin,
    searchsorted,
    select,
)
from lxc.ir.functions.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    moveaxis,
    ravel,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from lxc.ir.functions.statistics import (
    average,
    count_nonzero,
    logsumexp,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
    ptp,
)
from lxc.ir.functions.window import mean_window, reduce_window

__all__ = [
    "all", "allclose", "any", "append", "arange", "argmax", "argmin", "array_equal",
    "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "average", "block",
    "broadcast_arrays", "broadcast_to", "choose", "column_stack", "concatenate", "conv",
    "convolve", "correlate", "count_nonzero", "cross", "cumprod", "cumsum",
    "cumulative_prod", "cumulative_sum", "delete", "diag", "diagflat", "diagonal",
    "diff", "digitize", "dot", "dsplit", "dstack", "ediff1d", "einsum", "expand_dims",
    "eye", "flip", "fliplr", "flipud", "full", "hsplit", "hstack", "identity",
    "indices", "inner", "isclose", "isin", "kron", "linspace", "log_softmax",
    "logsumexp", "lookup", "matmul", "matrix_transpose", "matvec", "max", "mean",
    "mean_window", "meshgrid", "min", "moveaxis", "nancumprod", "nancumsum", "nanmax",
    "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar", "one_hot", "ones",
    "outer", "pad", "prod", "ptp", "random_bits", "random_normal", "random_split",
    "random_uniform", "ravel", "reduce_window", "repeat", "reshape", "roll", "rollaxis",
    "rot90", "scan", "searchsorted", "select", "softmax", "split", "squeeze", "stack",
    "std", "sum", "swapaxes", "take", "take_along_axis", "tensordot", "tile", "trace",
    "transpose", "trapezoid", "tri", "tril", "triu", "unstack", "var", "vdot", "vecdot",
    "vecmat", "vsplit", "vstack", "zeros",
]  # fmt: skip
__all__ += elementwise.__all__
