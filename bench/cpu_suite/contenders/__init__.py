"""Who is measured; every contender lives in a module and a process of its own.

A module has `build(prepared, threads) -> Ready`. Only the process of a contender imports
its module, so that one that is not installed hinders nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contender:
    """A contender: where it lives, what has to be installed, how far it may be off.

    `tolerance` is the largest error, relative to the largest output. `is_peer` says whether
    lxc is compared with it: one that computes in less than float32 is not. `only` is the
    beginning of the names of its cases.
    """

    module: str
    distributions: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    tolerance: float = 1e-4
    is_peer: bool = True
    only: str = ""


CONTENDERS: dict[str, Contender] = {
    "lxc": Contender("own", ("lxc", "apache-tvm"), is_peer=False),
    "torch": Contender("eager", ("torch",)),
    "compile": Contender("inductor", ("torch",)),
    "onnxruntime": Contender("onnx_runtime", ("onnxruntime",)),
    "openvino": Contender("open_vino", ("openvino",), {"precision": "f32"}),
    "openvino-default": Contender(
        "open_vino", ("openvino",), {"precision": ""}, tolerance=5e-2, is_peer=False
    ),
    "jax": Contender("jax_jit", ("jax", "jaxlib")),
    "iree": Contender("iree_vm", ("iree-base-compiler", "iree-base-runtime")),
    "tvm": Contender("plain_tvm", ("apache-tvm",)),
    "lxc-c": Contender("own_from_c", ("lxc",), is_peer=False, only="tiny/"),
    "onnxruntime-c": Contender(
        "onnx_runtime_from_c", ("onnxruntime",), is_peer=False, only="tiny/"
    ),
}
# Calls from C are compared with each other; lxc runs always, the other one if wanted.
FROM_C = ("lxc-c", "onnxruntime-c")
PEERS = tuple(name for name in CONTENDERS if not name.startswith("lxc"))


def field_of(against: Sequence[str]) -> list[str]:
    """Return everyone who runs when lxc is compared with these."""
    own = ["lxc", "lxc-c"] if FROM_C[1] in against else ["lxc"]
    return [*own, *against]
