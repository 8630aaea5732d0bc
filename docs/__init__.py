"""The book: pages whose cells run samestep, and what builds them (`python -m docs`)."""
