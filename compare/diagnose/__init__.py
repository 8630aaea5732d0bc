"""Infer a schedule from a trace; name the cause of a difference."""
