"""Ask one framework's own schedules, request after request: a line of JSON in, a line of JSON out.

Run as ``python ask.py tensorflow`` or ``python ask.py torch``.
"""

import contextlib
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever a framework prints is no answer

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import from_json, to_json

if sys.argv[1] == "tensorflow":
    from tf_impl import schedules, simulate

    def live(native):
        """The native schedule that counts: behind the callback, where it is looked up per epoch."""
        callbacks = native.attach(None)
        return callbacks[0].schedule.schedule if callbacks else native.learning_rate

else:
    import torch

    from torch_impl import schedules, simulate

    def live(native):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=native.learning_rate, momentum=0.9)
        return native.attach(optimizer) or native.learning_rate


def answer(asked):
    schedule, clock, stepping = from_json(asked["schedule"]), Clock(**asked["clock"]), asked["stepping"]
    native = schedules.build(schedule, clock, stepping)
    told = {"name": native.name, "exact": native.exact, "note": native.note}
    told["lr"] = simulate.rates(native, clock, stepping, asked["updates"]).tolist() if asked["updates"] else []
    if asked.get("source"):
        told["source"] = schedules.source(schedule, clock, stepping)
        told["base_lr"] = native.learning_rate if isinstance(native.learning_rate, float) else schedule.base_lr
    told["stride"] = schedule.count(clock, stepping).stride
    told["read"] = to_json(schedules.read(live(native), clock, stepping))
    return told


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(said), file=answers, flush=True)
