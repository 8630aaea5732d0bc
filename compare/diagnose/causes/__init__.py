"""The causes a difference can have: each file holds some, each function gives the claims worth a trial."""
