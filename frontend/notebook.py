"""Layers in a notebook: the calls that make them, containers as what opens."""

from typing import Any

from lxc.frontend.printing import call_text, described
from lxc.html import code, folded

INDENT = '<div style="margin-left: 1.5em">'


def layer_html(layer: Any, name: str = "") -> str:
    """Return a layer as HTML; a container opens to show what is in it.

    What is no layer of this family is shown by its own text.
    """
    is_ours = hasattr(layer, "_repr_html_")
    arguments, children = described(layer) if is_ours else ([], [])
    said = call_text(type(layer).__name__, arguments) if is_ours else repr(layer)
    title = f"{name} = {said}" if name else said
    if not children:
        return f"<div>{code(title)}</div>"
    inside = "".join(layer_html(inner, child) for child, inner in children)
    return folded(title, f"{INDENT}{inside}</div>", is_open=not name)
