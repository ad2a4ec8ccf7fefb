"""Whole loops on cards whose units the blocks of a grid share."""
