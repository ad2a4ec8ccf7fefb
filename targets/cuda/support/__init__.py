"""The C text that every model for cards carries: the driver, the checks, the launches.

It is joined and compiled like that of models for processors, and shares its checks.
"""

from importlib.resources import files

from lxc.targets.llvm import support as shared

SHARED = ("errors.c", "spans.c", "checks.c")
SOURCES = ("driver.c", "card.c", "launches.c", "graphs.c", "services.c", "call.c")

INCLUDES = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "tables of addresses are tables of 64-bit integers");
"""


def text(name: str) -> str:
    """Return one of the files of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="ascii")


def header() -> str:
    """Return the declarations that the headers of all models for cards share."""
    return shared.header() + text("card_abi.h")


def functions(name: str) -> str:
    """Return the declarations of the functions of the model `name`."""
    return shared.renamed(text("functions.h"), name)


def declarations() -> str:
    """Return what the file of a model needs beside its header."""
    return shared.text("model.h").partition("/* `bytes` has room")[0] + text("card.h")


def source() -> str:
    """Return the code that all models share, as one file."""
    parts = [*map(shared.text, SHARED), *map(text, SOURCES)]
    return "\n".join([INCLUDES, header(), declarations(), *parts])
