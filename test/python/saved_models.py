"""Reads a saved model with the libraries safetensors, onnx and onnxruntime.

Reads {"folder": of the model, "cells": rows} and prints names, shapes and types of the weights, the metadata, and what
the ONNX encoder makes of the cells.
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime
from safetensors import safe_open

request = json.load(sys.stdin)
tensors = {}
metadata = {}
for part in ("encoder", "decoder"):
    with safe_open(os.path.join(request["folder"], f"{part}.safetensors"), framework="numpy") as file:
        metadata[part] = file.metadata()
        for name in file.keys():
            tensor = file.get_tensor(name)
            tensors[f"{part}.{name}"] = [list(tensor.shape), str(tensor.dtype), float(tensor.sum())]

path = os.path.join(request["folder"], "encoder.onnx")
onnx.checker.check_model(path, full_check=True)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
(latent,) = session.run(["latent"], {"cells": numpy.array(request["cells"], dtype="float32")})
properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
print(json.dumps({"tensors": tensors, "metadata": metadata, "latent": latent.tolist(), "properties": properties}))
