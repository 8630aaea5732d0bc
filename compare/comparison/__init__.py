"""Two sides held against each other: `samestep compare`."""
