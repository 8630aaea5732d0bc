"""``python -m samestep``: the command `samestep`."""

from compare.command.main import main

main()
