"""The table of how every op of the kind `reduction` becomes loops."""

from collections.abc import Callable, Mapping

from lxc.ir.node import Node
from lxc.targets.llvm.anchors import Anchor
from lxc.targets.llvm.convolutions import blocked_conv, depthwise_conv
from lxc.targets.llvm.element import Source
from lxc.targets.llvm.paired import paired_conv, paired_dot
from lxc.targets.llvm.plain_convolutions import conv
from lxc.targets.llvm.products import dot_general, packed_dot
from lxc.targets.llvm.reductions import reduce, reduce_window
from lxc.targets.llvm.staged import staged_conv
from lxc.targets.llvm.stretched import stretched_conv
from lxc.targets.llvm.winograd import winograd_conv
from lxc.targets.tvm_api import Expr

ANCHORS: Mapping[str, Callable[[Node, Mapping[str, Expr], Source], Anchor]] = {
    "dot_general": dot_general,
    "packed_dot": packed_dot,
    "conv": conv,
    "blocked_conv": blocked_conv,
    "depthwise_conv": depthwise_conv,
    "paired_dot": paired_dot,
    "paired_conv": paired_conv,
    "winograd_conv": winograd_conv,
    "staged_conv": staged_conv,
    "stretched_conv": stretched_conv,
    "reduce": reduce,
    "reduce_window": reduce_window,
}
