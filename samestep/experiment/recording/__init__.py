"""What the recorders of both frameworks share: a recording that grows while a run trains, and how it is read."""

from __future__ import annotations

from samestep.experiment.recording.file import UNKNOWN, read_recording
from samestep.experiment.recording.recording import Recording, not_a_loss
from samestep.experiment.recording.updates import Source

__all__ = ["UNKNOWN", "Recording", "Source", "not_a_loss", "read_recording"]
