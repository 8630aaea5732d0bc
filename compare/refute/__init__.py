"""A statement on two runs, and the rows that refute it."""
