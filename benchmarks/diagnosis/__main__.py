"""``python -m benchmarks.diagnosis``."""

from benchmarks.diagnosis.score import main

if __name__ == "__main__":
    main()
