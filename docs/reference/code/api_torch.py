"""The docstrings of the PyTorch side, as JSON by module."""

import json

import docstrings

print(
    json.dumps(
        {
            "torch_impl": docstrings.of("torch_impl.recorder", "record", "Recorder"),
            "torch_impl.schedules": docstrings.of("torch_impl.schedules"),
        }
    )
)
