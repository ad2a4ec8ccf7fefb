"""Numbers of bytes on the command line."""

import re

import click

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}
SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?((?:[KMG]I?)?)B?", re.IGNORECASE)


def byte_size(text: str) -> int:
    """Return the number of bytes that a text stands for: 4096, 512KB, 64MB, 1.5GiB."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise click.BadParameter(
            f"{text!r} is not a size such as 4096, 512KB, 64MB or 1.5GiB."
        )
    return int(float(match[1]) * UNITS[match[2].upper()])
