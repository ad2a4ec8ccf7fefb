"""Use the card for `bench/gpu.py`, which starts this and talks to it by pipe."""

import sys

from gpu_suite.worker import main

if __name__ == "__main__":
    main(*sys.argv[1:])
