"""One schedule: explained, simulated, translated, and found in a run."""
