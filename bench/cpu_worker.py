"""Run one contender for `bench/cpu.py`, which starts this and talks to it by pipe."""

import sys

from cpu_suite.worker import main

if __name__ == "__main__":
    main(*sys.argv[1:])
