"""The command `samestep`: a file for each subcommand. Nothing but `terminal` prints."""
