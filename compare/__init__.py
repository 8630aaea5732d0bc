"""Lines up two runs, says where they first differ and why, shows it. `samestep` is the face of it."""
