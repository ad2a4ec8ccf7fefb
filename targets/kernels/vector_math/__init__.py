"""Functions of float32, as code that runs on all lanes of a vector at once.

There are no calls in it, no tables but in registers, and no branches but around what hardly
any number needs. The same formula serves every width on a machine, so that an element has
the same bits in a whole vector and in a scalar at the end of a row.
"""
