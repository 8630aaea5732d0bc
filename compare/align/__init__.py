"""Two runs row by row: which rows belong together, how far rates and losses lie apart there."""
