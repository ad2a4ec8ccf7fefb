"""Code for NVIDIA cards."""
