"""What the card reaches in this run: bytes of a copy, and products of large matrices."""

import torch

from gpu_suite.turns import medians

COPY_BYTES = 1 << 30
SIZE = 8192


TYPES = {
    "float32": (torch.float32, False),
    "tf32": (torch.float32, True),
    "bf16": (torch.bfloat16, False),
}
"""The type of the elements, and whether products may round them."""


def roofline(rounds: int) -> dict[str, float]:
    """Return GB/s of a copy, read and written, and TFLOP/s of products by type."""
    rates = {name: product_rate(name, rounds) for name in TYPES}
    return {"copy_gbs": copy_rate(rounds), **rates}


def copy_rate(rounds: int) -> float:
    """Return GB/s, counting what is read and what is written."""
    source = torch.ones(COPY_BYTES // 4, device="cuda")
    copied = torch.empty_like(source)
    seconds = medians({"copy": lambda: copied.copy_(source)}, rounds)["copy"]
    return 2 * COPY_BYTES / seconds / 1e9


def product_rate(name: str, rounds: int) -> float:
    """Return TFLOP/s of a large product of random numbers."""
    dtype, torch.backends.cuda.matmul.allow_tf32 = TYPES[name]
    a, b = (torch.randn(SIZE, SIZE, device="cuda", dtype=dtype) for _ in range(2))
    out = torch.empty_like(a)
    seconds = medians({name: lambda: torch.matmul(a, b, out=out)}, rounds)[name]
    return float(2 * SIZE**3 / seconds / 1e12)
