"""The memory that a compiled model needs: a bound for it, and what it is taken for."""
