"""Products of pairs of bfloat16."""
