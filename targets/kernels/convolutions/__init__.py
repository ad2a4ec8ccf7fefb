"""Convolutions as loops: of channels in blocks and in plain order."""
