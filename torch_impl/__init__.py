"""The experiment in PyTorch. `tf_impl` is the same text in Keras."""
