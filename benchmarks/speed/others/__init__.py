"""What a competent user would write otherwise: each file is a program of its own, which prints its seconds as JSON."""
