"""Every operator of ONNX that lxc imports, by name."""

from collections.abc import Mapping

from lxc.frontend.onnx.activation import ACTIVATIONS
from lxc.frontend.onnx.attention import ATTENTION
from lxc.frontend.onnx.convolution import CONVOLUTIONS
from lxc.frontend.onnx.elementwise import ELEMENTWISE
from lxc.frontend.onnx.indexing import INDEXING
from lxc.frontend.onnx.making import MAKING
from lxc.frontend.onnx.normalization import NORMALIZATIONS
from lxc.frontend.onnx.operator import Operator
from lxc.frontend.onnx.pooling import POOLS
from lxc.frontend.onnx.products import PRODUCTS
from lxc.frontend.onnx.quantized import QUANTIZED
from lxc.frontend.onnx.ranking import RANKING
from lxc.frontend.onnx.recurrent import RECURRENT
from lxc.frontend.onnx.reduction import PLACES, REDUCTIONS
from lxc.frontend.onnx.resize import RESIZE
from lxc.frontend.onnx.sampling import SAMPLING
from lxc.frontend.onnx.scatter import SCATTERS
from lxc.frontend.onnx.shaping import SHAPING
from lxc.frontend.onnx.signal import SIGNALS

OPERATORS: Mapping[str, Operator] = {
    **ACTIVATIONS,
    **ATTENTION,
    **CONVOLUTIONS,
    **ELEMENTWISE,
    **INDEXING,
    **MAKING,
    **NORMALIZATIONS,
    **PLACES,
    **POOLS,
    **PRODUCTS,
    **QUANTIZED,
    **RANKING,
    **RECURRENT,
    **REDUCTIONS,
    **RESIZE,
    **SAMPLING,
    **SCATTERS,
    **SHAPING,
    **SIGNALS,
}
