"""Lines traces up, says where and why they part, shows it."""
