"""``python -m samestep``: the command `samestep`."""

from samestep._compare.command.main import main

main()
