"""What is read: one run of a trace, one side of a comparison, what the user says of it."""
