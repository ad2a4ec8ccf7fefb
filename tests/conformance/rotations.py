"""Rotary positions in torch: pairs as complex numbers."""

import torch


def rotated(x: torch.Tensor, theta: float = 10000.0) -> torch.Tensor:
    """Return x [..., L, d] turned by position, halves being parts of complex numbers."""
    length, size = x.shape[-2:]
    powers = theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), powers)
    first, second = x.double().chunk(2, dim=-1)
    turned = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat((turned.real, turned.imag), dim=-1)
