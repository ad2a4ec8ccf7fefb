"""The C text that every compiled model carries: the public types, the pool, the checks.

The files of `SOURCES` are joined in their order and compiled as one file, which is the same
for all models; each model adds a file with its tables. Of the names here, those that
`model.h` declares are seen by that file; none is seen outside of the library.
"""

import re
from importlib.resources import files

from lxc.targets.kernels.cost import (
    MOST_TASKS,
    TASK_PAYS_NANOSECONDS,
    THREAD_PAYS_NANOSECONDS,
)

HEADER, MODEL, FUNCTIONS = "abi.h", "model.h", "functions.h"
SOURCES = (
    *("processors.c", "sleep.c", "pool.c", "errors.c"),
    *("halves.c", "hooks.c", "spans.c", "checks.c", "call.c"),
)
MOST_THREADS = 256

INCLUDES = """\
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
"""

NUMBERS = f"""\
#define LXC_MOST_THREADS {MOST_THREADS}
#define LXC_MOST_TASKS {MOST_TASKS}
#define LXC_WORTH_A_THREAD {THREAD_PAYS_NANOSECONDS}
#define LXC_WORTH_A_TASK {TASK_PAYS_NANOSECONDS}

_Static_assert(sizeof(void *) == 8, "tables of addresses are tables of 64-bit integers");
"""


def text(name: str) -> str:
    """Return one of the files of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="ascii")


def header() -> str:
    """Return the declarations that the headers of all models share."""
    return text(HEADER)


def declarations() -> str:
    """Return what the file of a model needs beside its header."""
    return text(MODEL)


def functions(name: str) -> str:
    """Return the declarations of the functions of the model `name`."""
    return renamed(text(FUNCTIONS), name)


def renamed(declared: str, name: str) -> str:
    """Return declarations with the name of a model in place of NAME."""
    names = {"NAME": name, "UPPER": name.upper()}
    return re.sub(r"\b(NAME|UPPER)(?=_)", lambda found: names[found[0]], declared)


def source(includes: str = "", more: str = "") -> str:
    """Return the code that all models share, as one file, with `more` code behind it."""
    parts = [includes, NUMBERS, header(), declarations(), *map(text, SOURCES), more]
    return "\n".join([INCLUDES, *filter(None, parts)])
