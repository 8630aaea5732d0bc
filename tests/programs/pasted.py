"""Run code as people paste it in its framework; say the rates that it gives, and what its classes take.

Run as ``python pasted.py tensorflow`` or ``python pasted.py torch``: cases as JSON in, answers as JSON out. Code of
Keras makes `schedule`, code of PyTorch `optimizer` and `scheduler`.
"""

import inspect
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
asked = json.load(sys.stdin)

if sys.argv[1] == "tensorflow":
    import keras
    import tensorflow as tf

    classes = keras.optimizers.schedules
    names = {"keras": keras, "tf": tf}

    def rates(made, updates):
        return [float(made["schedule"](step)) for step in range(updates)]

    def config(made):
        return keras.optimizers.schedules.serialize(made["schedule"])

else:
    import torch
    import transformers
    from torch.optim import lr_scheduler as classes

    names = {"torch": torch, "optim": torch.optim, "lr_scheduler": classes, "SGD": torch.optim.SGD}
    names["transformers"] = transformers
    names["params"] = [torch.nn.Parameter(torch.zeros(1))]

    def rates(made, updates):
        found = []
        for _ in range(updates):
            found.append(made["optimizer"].param_groups[0]["lr"])
            made["optimizer"].step()
            made["scheduler"].step()
        return found

    def config(made):
        return None


found = {name: getattr(classes, name, None) or getattr(transformers, name) for name in asked["classes"]}
told = {"rates": {}, "configs": {}, "classes": {}}
for name, case in asked["cases"].items():
    made = names | found
    exec(case["code"], made)
    told["rates"][name] = rates(made, case["updates"])
    told["configs"][name] = config(made)
for name in asked["classes"]:
    parameters = inspect.signature(found[name]).parameters.values()
    told["classes"][name] = [[each.name, None if each.default is each.empty else each.default] for each in parameters]
if sys.argv[1] == "torch":
    kinds = [each for each in vars(torch.optim).values() if inspect.isclass(each)]
    kinds = [each for each in kinds if issubclass(each, torch.optim.Optimizer) and each is not torch.optim.Optimizer]
    told["optimizers"] = [each.__name__ for each in kinds if list(inspect.signature(each).parameters)[1] == "lr"]
print(json.dumps(told))
