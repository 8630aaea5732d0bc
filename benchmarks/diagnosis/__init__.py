"""How good the diagnosis is, and what it costs. What drafts a mistake knows nothing of the cause that finds it."""
