"""How the processes of a recorded command come to be watched: `path` is put on their path, `process` is what it loads.

Loaded as every Python of the command starts, so it imports neither NumPy nor a framework.
"""
