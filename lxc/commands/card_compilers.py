"""Name the compilers for cards, first the one that is used, for `lxc doctor`."""

import sys

from lxc.errors import LxcError
from lxc.targets.cuda.toolchain import device_compilers


def main() -> None:
    """Print each in a line; failures are printed in their usual form."""
    try:
        for compiler in device_compilers():
            print(compiler.version())
    except LxcError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
