"""The experiment in Keras. `torch_impl` is the same text in PyTorch."""
