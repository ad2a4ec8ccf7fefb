"""Convolutions of few channels by minimal filtering along the rows of cells."""
