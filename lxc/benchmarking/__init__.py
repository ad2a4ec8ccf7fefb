"""Measure how long calls of compiled models take, beside others and on noisy machines."""
