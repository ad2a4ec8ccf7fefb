"""Attention on cards."""
