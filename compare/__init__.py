"""Lines traces up, says where and why they first differ, shows it."""
