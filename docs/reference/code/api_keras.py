"""The docstrings of the Keras side, as JSON by module."""

import json

import docstrings

print(
    json.dumps(
        {
            "tf_impl": docstrings.of("tf_impl.recorder", "record", "Recorder"),
            "tf_impl.schedules": docstrings.of("tf_impl.schedules"),
        }
    )
)
