"""How good the diagnosis is on what people write: their schedules, numbers, mistakes and logs.

Nothing here knows how samestep finds a cause. Each rate comes from a library, stepped call by call.
"""
