"""How good the diagnosis is on what people write: their schedules, numbers and mistakes, in logs as programs write them.

Nothing here knows how samestep finds a cause. Each rate comes from a library, stepped call by call.
"""
