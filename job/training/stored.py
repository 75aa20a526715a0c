"""A stored network, loaded into the process of whoever asks for it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import keras

KerasModel: TypeAlias = "keras.Sequential"
"""What a trial stores in model.keras."""


def load_model(path: Path) -> KerasModel:
    """Load a model.keras file, quietly; TensorFlow's devices and threads stay as the caller has them."""
    # Otherwise TensorFlow prints a page when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    model: KerasModel = keras.models.load_model(path)
    return model
