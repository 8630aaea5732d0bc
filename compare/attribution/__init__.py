"""Which part of a loss gap between Keras and PyTorch comes from what: ``samestep attribute``.

`variants` says what is trained and keeps it, `ladder` climbs and measures, `advice` turns what mattered into code,
`files` writes.
"""
