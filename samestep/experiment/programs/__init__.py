"""What the programs in a framework's folder have in common: they train, simulate, and train variants of one run."""
