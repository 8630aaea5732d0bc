"""How fast: what is timed, against what, and what no program gets below."""
