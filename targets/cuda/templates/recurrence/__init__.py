"""Whole loops on cards in one launch."""
