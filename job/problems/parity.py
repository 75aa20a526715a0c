"""The data that the network learns: XOR's truth table."""

import numpy as np
from numpy.typing import NDArray

FEATURES: NDArray[np.float32] = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
"""(4 rows, 2 inputs): every pair of bits."""

TARGETS: NDArray[np.float32] = np.array([[0], [1], [1], [0]], "float32")
"""(4 rows, 1 output): 1 where the two bits differ."""
