"""How a result is shown: on a terminal, in a notebook, as a folder with a report."""
