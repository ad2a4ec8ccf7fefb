"""The loops of kernels, for any machine."""
