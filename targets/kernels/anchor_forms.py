"""The table of how every op of the kind `reduction` becomes loops."""

from collections.abc import Callable, Mapping

from lxc.ir.node import Node
from lxc.targets.kernels.anchors import Anchor
from lxc.targets.kernels.convolutions.blocked import blocked_conv, depthwise_conv
from lxc.targets.kernels.convolutions.channels_last import channels_last_conv
from lxc.targets.kernels.convolutions.plain import conv
from lxc.targets.kernels.convolutions.staged import staged_conv
from lxc.targets.kernels.convolutions.stretched import stretched_conv
from lxc.targets.kernels.element import Source
from lxc.targets.kernels.pairs.kernel import paired_conv, paired_dot
from lxc.targets.kernels.products import dot_general, packed_dot
from lxc.targets.kernels.reductions import reduce, reduce_window
from lxc.targets.kernels.winograd.kernel import winograd_conv
from lxc.targets.tvm_api import Expr

ANCHORS: Mapping[str, Callable[[Node, Mapping[str, Expr], Source], Anchor]] = {
    "dot_general": dot_general,
    "packed_dot": packed_dot,
    "conv": conv,
    "channels_last_conv": channels_last_conv,
    "blocked_conv": blocked_conv,
    "depthwise_conv": depthwise_conv,
    "paired_dot": paired_dot,
    "paired_conv": paired_conv,
    "winograd_conv": winograd_conv,
    "winograd_row_conv": winograd_conv,
    "staged_conv": staged_conv,
    "stretched_conv": stretched_conv,
    "reduce": reduce,
    "reduce_window": reduce_window,
}
