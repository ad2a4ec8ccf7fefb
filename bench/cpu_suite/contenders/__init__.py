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
    lxc in float32 is compared with it: one that `computes_less` than float32 is not. `only`
    is the beginning of the names of its cases.
    """

    module: str
    distributions: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    tolerance: float = 1e-4
    is_peer: bool = True
    computes_less: bool = False
    only: str = ""


CONTENDERS: dict[str, Contender] = {
    "lxc": Contender("own", ("lxc", "apache-tvm"), is_peer=False),
    "lxc-bf16": Contender(
        "own",
        ("lxc", "apache-tvm"),
        {"precision": "bf16"},
        tolerance=5e-2,
        is_peer=False,
        computes_less=True,
    ),
    "torch": Contender("eager", ("torch",)),
    "compile": Contender("inductor", ("torch",)),
    "onnxruntime": Contender("onnx_runtime", ("onnxruntime",)),
    "openvino": Contender("open_vino", ("openvino",), {"precision": "f32"}),
    "openvino-default": Contender(
        "open_vino",
        ("openvino",),
        {"precision": ""},
        tolerance=5e-2,
        is_peer=False,
        computes_less=True,
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
# So are those that take bfloat16 for float32 where that is faster.
IN_BF16 = ("lxc-bf16", "openvino-default")
PEERS = tuple(name for name in CONTENDERS if not name.startswith("lxc"))


def field_of(against: Sequence[str]) -> list[str]:
    """Return everyone who runs when lxc is compared with these."""
    own = [pair[0] for pair in (IN_BF16, FROM_C) if pair[1] in against]
    return ["lxc", *own, *against]
