"""Kernels for cards that are written whole: their blocks share memory."""
