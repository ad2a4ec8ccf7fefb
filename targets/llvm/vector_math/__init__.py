"""Functions of float32, as code that runs on all lanes of a vector at once.

There are no calls, tables or branches in it, and the same formula serves every width, so
that an element has the same bits in a whole vector and in a scalar at the end of a row.
"""
