"""``python -m samestep._compare.command``: the command `samestep`."""

from .main import main

main()
