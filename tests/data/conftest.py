"""What lies here is recorded data and the programs that recorded it: nothing for pytest to collect."""

collect_ignore_glob = ["*"]
