"""Why two runs differ: the simplest cause that no row refutes."""
