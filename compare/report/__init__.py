"""The report: what it says, and the templates that say it."""
