"""A process for each framework, and imports made while one waits for it."""
