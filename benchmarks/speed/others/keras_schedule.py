"""The rate at every step, by calling a Keras schedule once for each: ``python keras_schedule.py STEPS REPEATS``."""

import json
import sys
import time

import keras


def main():
    """Ask for all steps, several times over."""
    steps, repeats = map(int, sys.argv[1:])
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        rates = [float(schedule(step)) for step in range(steps)]
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "updates": len(rates), "last_rate": rates[-1]}))


if __name__ == "__main__":
    main()
