"""What samestep claims to do, measured: run each as ``python -m benchmarks.NAME``."""
