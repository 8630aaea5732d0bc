"""``python -m benchmarks.everyday``."""

from benchmarks.everyday.score import main

if __name__ == "__main__":
    main()
