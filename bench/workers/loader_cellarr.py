"""Python cellarr's data loader, as it comes: needs torch and pytorch_lightning beside it."""

import multiprocessing
import os
import time

import common
import numpy as np


def module_of(request):
    from cellarr.dataloader import DataModule

    options = request["options"]
    return DataModule(
        dataset_path=request["store"],
        label_column_name=options["labelColumnName"],
        study_column_name=options["studyColumnName"],
        sample_column_name=options["sampleColumnName"],
        batch_size=options["batchSize"],
        sample_size=options["sampleSize"],
        sparse=options["sparse"],
        num_workers=request["workers"],
        persistent_workers=True,
    )


def load(request):
    module = module_of(request)
    loader = module.train_dataloader()
    run_epochs(loader, min(2, request["seconds"]))
    before = workers_cpu()
    read, figures = common.measured(lambda: run_epochs(loader, request["seconds"]))
    figures["cpu"] += workers_cpu() - before
    return {**figures, **read, "genes": len(module.gene_indices)}


def workers_cpu():
    """Seconds of the worker processes, which are still there: fields 14 and 15 of their stat."""
    total = 0
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/stat") as stat:
            total += sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def run_epochs(loader, seconds):
    """Whole epochs, at least for so many seconds."""
    end = time.perf_counter() + seconds
    cells = batches = 0
    while time.perf_counter() < end:
        for values, *_ in loader:
            cells += values.shape[0]
            batches += 1
    return {"cells": cells, "batches": batches}


def answer(request):
    module = module_of(request)
    values = module.collate([module.data_df.loc[request["cells"]]])[0].numpy().astype(np.float64)
    weights = np.arange(values.shape[1]) % 101 + 1
    return {"sums": (values @ weights).tolist()}


if __name__ == "__main__":
    common.serve({"load": load, "answer": answer})
