"""Writes spec-fixtures/autoencoder: 20 steps of Python cellarr's network in PyTorch, dropout off.

    python spec-fixtures/generate_autoencoder.py

Made with PyTorch 2.15.0 (CPU) and cellarr 0.3.2.
"""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "test", "python"))

from torch_autoencoder import trajectory  # noqa: E402

network = {"genes": 20, "latent": 4, "hidden": [12, 12, 12]}
for name, residual in [("plain", False), ("residual", True)]:
    trajectory(os.path.join(here, "autoencoder", name), {**network, "residual": residual})
