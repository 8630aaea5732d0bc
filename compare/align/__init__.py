"""Two runs row by row: which rows belong together, and how rates and losses differ there."""
