"""What is run: the clock, the schedules, the plan, the controls and the trace. numpy and pydantic only."""

__version__ = "0.1.0"
