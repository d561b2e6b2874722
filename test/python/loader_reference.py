"""
Python cellarr's own loader on a store: which cells it keeps, how it weighs them, what it makes of them.

torch and pytorch_lightning are not installed for this: what the loader takes of them is replaced by a few lines (a
tensor is a NumPy array), so that its choice of cells and its arithmetic, which are NumPy and SciPy, run as they are.
"""

import json
import sys
import types

import numpy as np


def stand_in(name, **members):
    module = types.ModuleType(name)
    for key, value in members.items():
        setattr(module, key, value)
    sys.modules[name] = module
    return module


class Generic:
    def __class_getitem__(cls, _):
        return cls

    def __init__(self, *_, **__):
        pass


class Tensor(np.ndarray):
    def __new__(cls, values):
        return np.asarray(values, dtype=np.float32).view(cls)


data = stand_in("torch.utils.data", DataLoader=Generic, Dataset=Generic, Sampler=Generic)
utils = stand_in("torch.utils", data=data)
stand_in("torch", Tensor=Tensor, utils=utils)
stand_in("pytorch_lightning", LightningDataModule=Generic)

from cellarr.dataloader import DataModule  # noqa: E402


def describe(frame):
    return [] if frame is None else sorted(int(cell) for cell in frame.index)


def weights_of(module):
    frame = module.train_df
    if "sample_weight" not in frame:
        return {}
    return dict(zip(frame[module.label_column_name], map(float, frame["sample_weight"])))


def answer(store, request):
    module = DataModule(dataset_path=store, **request["options"])
    cells = request.get("cells") or [int(module.data_df.index[0])]
    values, _, studies, samples = module.collate([module.data_df.loc[cells].assign(label_int=0)])
    return {
        "train": describe(module.train_df),
        "val": describe(module.val_df),
        "labels": sorted(module.class_names),
        "samples": [len(cells) for cells in module.train_sample2cells.values()],
        "sampleNames": [name.split("::::") for name in module.train_sample2cells],
        "weights": weights_of(module),
        "values": np.asarray(values, dtype=np.float64).tolist(),
        "studies": list(studies),
        "sampleOf": list(samples),
    }


asked = json.load(sys.stdin)
print(json.dumps([answer(asked["store"], request) for request in asked["requests"]]))
