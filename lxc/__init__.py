"""lxc: an ahead-of-time compiler for neural networks.

    import lxc
    from lxc import nn

    model = nn.Chain(nn.Dense(64, 32, nn.relu), nn.Dense(32, 10))
    ps, st = lxc.setup(0, model)
    m = lxc.compile(model, lxc.TensorSpec((1, 64)), ps, lxc.testmode(st))
    m.save("model.lxc", params=ps, state=lxc.testmode(st))

Names are imported when they are first used, so that a machine that only runs artifacts
needs nothing of the compiler.
"""

import importlib
from typing import Any

from lxc.errors import LxcError

__version__ = "0.3.0"

HOMES = {
    "CompiledModel": "lxc.runtime",
    "Dim": "lxc.ir",
    "LxcError": "lxc.errors",
    "Optional": "lxc.tree",
    "Tensor": "lxc.ir",
    "TensorSpec": "lxc.ir",
    "apply": "lxc.frontend",
    "cast": "lxc.frontend",
    "compile": "lxc.compilation",
    "convert_params": "lxc.parameters.conversion",
    "draw": "lxc.drawing.notebook",
    "eval_shape": "lxc.shape_inference",
    "flat_names": "lxc.runtime",
    "load": "lxc.runtime",
    "load_onnx": "lxc.frontend.onnx.reader",
    "load_params": "lxc.runtime",
    "parameter_count": "lxc.frontend",
    "save_params": "lxc.runtime",
    "setup": "lxc.frontend",
    "share_parameters": "lxc.frontend",
    "state_count": "lxc.frontend",
    "summary": "lxc.model_summary",
    "testmode": "lxc.frontend",
    "trace": "lxc.tracing",
    "trainmode": "lxc.frontend",
    "tree_of": "lxc.runtime",
    "tune": "lxc.tuning.tune",
    "update_state": "lxc.frontend",
}
EXTRAS = {"load_onnx": ("onnx", "google")}
"""Names that need packages of an extra, which is called as the first of them."""
MODULES = ("frontend", "ir", "kaun", "nn", "ops", "passes", "runtime", "targets")

__all__ = [*HOMES, *MODULES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in HOMES:
        try:
            return getattr(importlib.import_module(HOMES[name]), name)
        except ModuleNotFoundError as problem:
            extra, *more = EXTRAS.get(name, ("",))
            if str(problem.name).partition(".")[0] not in (extra, *more):
                raise
            raise LxcError(
                "LXC-E0306",
                f"lxc.{name} needs the package {extra}, which is not installed",
                hint=f"pip install 'lxc[{extra}]'",
            ) from None
    if name in MODULES:
        return importlib.import_module(f"lxc.{name}")
    raise AttributeError(f"module 'lxc' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*HOMES, *MODULES, "__version__"])
