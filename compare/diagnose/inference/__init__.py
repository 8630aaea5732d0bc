"""The rooms of `compare.infer`: what is seen in the rows, one file of guesses per family, and the checks."""
