"""The C text that every compiled model carries: the public types, the pool, the checks.

The files are joined in the order of `SOURCES` and compiled with the tables of one model as
one file, so that nothing but the functions of the model has a name outside it.
"""

import re
from importlib.resources import files

HEADER, FUNCTIONS = "abi.h", "functions.h"
SOURCES = (
    *("processors.c", "sleep.c", "pool.c", "errors.c"),
    *("hooks.c", "spans.c", "call.c"),
)


def text(name: str) -> str:
    """Return one of the files of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="ascii")


def header() -> str:
    """Return the declarations that the headers of all models share."""
    return text(HEADER)


def functions(name: str) -> str:
    """Return the declarations of the functions of the model `name`."""
    names = {"NAME": name, "UPPER": name.upper()}
    return re.sub(r"\b(NAME|UPPER)(?=_)", lambda found: names[found[0]], text(FUNCTIONS))


def source() -> str:
    """Return the code that all models share."""
    return "\n".join(text(name) for name in SOURCES)
