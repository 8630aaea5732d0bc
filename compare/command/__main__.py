"""``python -m compare.command``: the command `samestep`."""

from compare.command.main import main

main()
