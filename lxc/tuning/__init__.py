"""Measure which of several ways to compute a model's kernels is the fastest here."""
