"""Tensors that a call hands to every layer beside the input, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from lxc.errors import LxcError
from lxc.ir.tensor import type_of
from lxc.ir.types import dtype_of
from lxc.tree import check_key


@dataclass(frozen=True, eq=False)
class Context:
    """Immutable bindings of names to tensors; layers ignore what they do not know."""

    empty: ClassVar["Context"]
    bindings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep a copy that nobody else can change."""
        for name in self.bindings:
            check_key(name, "ctx")
        object.__setattr__(self, "bindings", MappingProxyType(dict(self.bindings)))

    def __reduce__(self) -> Any:
        """Copy and pickle the bindings as a dict."""
        return Context, (dict(self.bindings),)

    def set(self, name: str, tensor: Any) -> "Context":
        """Return a context that also binds `name`, in place of what it was bound to."""
        return Context({**self.bindings, name: tensor})

    def find(self, name: str) -> Any:
        """Return the tensor called `name`, or None."""
        return self.bindings.get(name)

    def get(self, name: str, dtype: Any = None) -> Any:
        """Return the tensor called `name`; raise if it is missing or of another type."""
        if name not in self.bindings:
            raise LxcError(
                "LXC-E0112",
                f"the context has no tensor called {name}",
                actual=f"ctx: {', '.join(self.bindings) or 'empty'}",
                hint=f'give ctx=kaun.Context.empty.set("{name}", ...)',
            )
        tensor = self.bindings[name]
        if dtype is not None and type_of(tensor).dtype is not dtype_of(dtype):
            raise LxcError(
                "LXC-E0112",
                f"the context's {name} has another element type",
                expected=f"{name}: {dtype_of(dtype)}",
                actual=f"{name}: {type_of(tensor).dtype}",
            )
        return tensor


Context.empty = Context()
