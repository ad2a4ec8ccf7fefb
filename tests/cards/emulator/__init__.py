"""Executes kernels of cards from TVM's loop language, and reports what no card forgives."""
