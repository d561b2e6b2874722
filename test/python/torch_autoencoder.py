"""Python cellarr's autoencoder in PyTorch: what it makes of weights and batches that are given.

Reads one JSON object {"command": name of a function below, "args": {...}} and prints its result as JSON. Needs PyTorch,
safetensors and the file autoencoder.py of cellarr 0.3.2, whose LightningModule is replaced by PyTorch's Module: the
trainer of Lightning is not there.
"""

import importlib.util
import json
import os
import sys
import time
import types

import torch
from safetensors.torch import load_file, save_file


def reference():
    """The module cellarr.autoencoder, without the rest of cellarr."""
    lightning = types.ModuleType("pytorch_lightning")
    lightning.LightningModule = torch.nn.Module
    sys.modules["pytorch_lightning"] = lightning
    folder = importlib.util.find_spec("cellarr").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("reference", os.path.join(folder, "autoencoder.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(genes, latent, hidden, residual, dropout=0.0, input_dropout=0.0):
    return reference().AutoEncoder(
        genes,
        latent_dim=latent,
        hidden_dim=hidden,
        dropout=dropout,
        input_dropout=input_dropout,
        residual=residual,
    )


def train_steps(model, batches, times=None):
    """The losses of one step on each batch, each before it; `times` is given the CPU seconds of each."""
    optimizer = model.configure_optimizers()["optimizer"]
    model.train()
    losses = []
    for batch in batches:
        start = time.process_time()
        optimizer.zero_grad()
        loss = model.get_loss((batch, None, None, None))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if times is not None:
            times.append(time.process_time() - start)
    return losses


def outputs(model, cells):
    model.eval()
    with torch.no_grad():
        latent, reconstruction = model(cells)
    return latent, reconstruction


def trajectory(folder, network, seed=1, steps=20, cells=16):
    """Writes start, batches and what 20 steps make of them."""
    torch.manual_seed(seed)
    model = make(**network)
    with torch.no_grad():
        # PReLU and batch norm start alike everywhere: other values show whether names are mixed up.
        for name, value in model.named_parameters():
            value.add_(0.05 * torch.randn_like(value))
    start = {name: value.clone() for name, value in model.state_dict().items()}
    counts = torch.poisson(torch.rand(steps, cells, network["genes"]) * 3)
    batches = torch.log1p(counts / counts.sum(2, keepdim=True).clamp(min=1) * 100)
    losses = train_steps(model, batches)
    latent, reconstruction = outputs(model, batches[0])
    os.makedirs(folder, exist_ok=True)
    save_file(start, os.path.join(folder, "start.safetensors"))
    save_file({n: v.clone() for n, v in model.state_dict().items()}, os.path.join(folder, "end.safetensors"))
    data = {
        "batches": batches,
        "losses": torch.tensor(losses),
        "latent": latent,
        "reconstruction": reconstruction,
    }
    save_file(data, os.path.join(folder, "data.safetensors"), {"network": json.dumps(network)})


def load(folder, network):
    """What cellarr for TypeScript has saved, strictly, as docs/autoencoder.md says."""
    model = make(**network)
    model.encoder.load_state_dict(load_file(os.path.join(folder, "encoder.safetensors")), strict=True)
    model.decoder.load_state_dict(load_file(os.path.join(folder, "decoder.safetensors")), strict=True)
    return model


def steps_from_files(folder, network, batches):
    """The losses of training steps on a model that was saved."""
    return train_steps(load(folder, network), [torch.tensor(batch) for batch in batches])


def from_files(folder, network, cells):
    """What a model that was saved makes of the cells."""
    model = load(folder, network)
    latent, reconstruction = outputs(model, torch.tensor(cells))
    return {"latent": latent.tolist(), "reconstruction": reconstruction.tolist()}


def run_in(folder, code):
    """Runs code of docs/autoencoder.md where the model's folder is "model"; gives its variables."""
    module = reference()
    sys.modules["cellarr"] = types.ModuleType("cellarr")
    sys.modules["cellarr.autoencoder"] = module
    os.chdir(os.path.dirname(folder))
    variables = {}
    exec(code, variables)
    return variables


def loaded_by_code(folder, code, cells):
    """What the model that the code loads makes of the cells."""
    latent, _ = outputs(run_in(folder, code)["model"], torch.tensor(cells))
    return latent.tolist()


def saved_by_reference(folder, network, cells, code, seed=2):
    """Saves a model with the reference's own method and converts it by the code; gives what it makes of the cells."""
    torch.manual_seed(seed)
    model = make(**network)
    train_steps(model, [torch.tensor(cells)] * 3)
    model.save_all(folder)
    run_in(folder, code)
    latent, reconstruction = outputs(model, torch.tensor(cells))
    return {"latent": latent.tolist(), "reconstruction": reconstruction.tolist()}


def speed(network, cells, steps):
    """CPU seconds of each step of training, in one thread."""
    torch.set_num_threads(1)
    model = make(**network, dropout=0.5, input_dropout=0.4)
    times = []
    train_steps(model, [torch.rand(cells, network["genes"])] * steps, times)
    return times


if __name__ == "__main__":
    request = json.load(sys.stdin)
    print(json.dumps(globals()[request["command"]](**request["args"])))
