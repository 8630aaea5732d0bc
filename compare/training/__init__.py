"""Every arm of a plan trained in both frameworks: ``samestep run``."""
