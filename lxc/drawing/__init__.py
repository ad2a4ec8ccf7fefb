"""Drawings of graphs: what is drawn, where it goes, and the files that show it."""
