"""One run: which schedule it follows, and what in it may not be meant, with the line of code."""
