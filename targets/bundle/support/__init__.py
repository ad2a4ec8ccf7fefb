"""The C text of bundles: the values of a model, and the check that a library brings.

It follows the code that all models share, whose static functions it calls.
"""

from importlib.resources import files

from lxc.targets.llvm.support import renamed

SOURCES = ("init.c", "elements.c", "selftest.c")


def text(name: str) -> str:
    """Return one of the files of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="ascii")


def includes() -> str:
    """Return the headers of the system that the code needs."""
    return text("includes.h")


def types() -> str:
    """Return the types that the headers of all bundles declare."""
    return text("values.h")


def declarations() -> str:
    """Return what the file of a bundle needs beside its header."""
    return text("bundle.h")


def source(*, has_values: bool) -> str:
    """Return the code behind that of all models."""
    parts = SOURCES if has_values else ()
    return "\n".join([types(), declarations(), text("processor.c"), *map(text, parts)])


def functions(name: str, file: str) -> str:
    """Return declarations for the model `name`."""
    return renamed(text(file), name)
