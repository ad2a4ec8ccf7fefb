"""The process that uses the card: it answers lines of JSON with lines of JSON."""

import ctypes
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

DIE_WITH_PARENT = 1


def main(folder: str, rivals: str, rounds: str) -> None:
    """Serve requests until the pipe closes; what libraries print goes to stderr."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(reply: dict[str, Any]) -> None:
        replies.write(json.dumps(reply) + "\n")
        replies.flush()

    try:
        session = import_module("gpu_suite.session")
    except ImportError as error:
        tell({"status": "absent", "detail": str(error)})
        return
    tell(session.greeting())
    names = [name for name in rivals.split(",") if name]
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "limits":
            tell(session.limits(int(rounds)))
        else:
            options = Path(folder), names, int(rounds)
            reply = session.played(
                request["case"], *options, lambda name: tell({"begin": name})
            )
            tell(reply)
