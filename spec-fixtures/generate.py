"""Writes the fixtures: small arrays, groups and stores made by the official libraries, with their content beside them.

    python3 spec-fixtures/generate.py                 all of them
    python3 spec-fixtures/generate.py sparse dense    only those whose names begin so

Python 3.11. The environments below are made in .cache/python at the first run (PyPI); nothing else is needed. Every
array is written by the core of its format's version; what it holds is always told by the newest pinned core.

    v22/<name>/array/       the array             schema.json, cells.json   its content, see test/python/content.py
                                                  reads.json                [{query: {ranges, timestamp, order}, cells}]
    v22/<name>/group/       a group               group.json                its members and metadata
    cellarr-0.3.2/<name>/   dataset/              expected.json             frames, matrices and slices
    cellarr-<release>/store.small/  dataset/      expected.json             frames and matrices

Names and times of fragments differ from run to run, cells don't: the random numbers have fixed seeds.
"""

import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# The core of each: 2.30, 2.15, 2.16, 2.17, 2.19.
ENVIRONMENTS = {
    "v22": "reference",
    "v18": ["tiledb==0.21.6", "numpy==1.26.4", "packaging==24.2"],
    "v19": ["tiledb==0.22.3", "numpy==1.26.4", "packaging==24.2"],
    "v20": ["tiledb==0.23.5", "numpy==1.26.4", "packaging==24.2"],
    "v21": ["tiledb==0.25.0", "numpy==1.26.4", "packaging==24.2"],
    "cellarr-0.3.2": "reference",
}

# Other releases of cellarr, which is pure Python: each beside the reference's libraries.
RELEASES = ["0.1.3", "0.2.5", "0.5.9", "0.6.2"]


def release_folder(release):
    """Where that release of cellarr lies, by itself."""
    folder = os.path.join(ROOT, ".cache", "python", f"cellarr-{release}")
    if not os.path.exists(os.path.join(folder, ".installed")):
        shutil.rmtree(folder, ignore_errors=True)
        command = [interpreter("reference"), "-m", "pip", "install", "-q", "--no-deps", "--target", folder]
        subprocess.run([*command, f"cellarr=={release}"], check=True)
        open(os.path.join(folder, ".installed"), "w").close()
    return folder


def write_releases(environment, prefixes):
    script = os.path.join(HERE, "scripts", "write_old_stores.py")
    for release in RELEASES:
        target = os.path.join(HERE, f"cellarr-{release}")
        path = os.pathsep.join([release_folder(release), environment["PYTHONPATH"]])
        command = [interpreter("reference"), script, target, release, *prefixes]
        subprocess.run(command, check=True, env={**environment, "PYTHONPATH": path})


def interpreter(pins):
    if pins == "reference":
        script = os.path.join(ROOT, "scripts", "python-env.mjs")
        return subprocess.run(["node", script, pins], check=True, capture_output=True, text=True).stdout.strip()
    name = hashlib.sha256(" ".join(pins).encode()).hexdigest()[:12]
    folder = os.path.join(ROOT, ".cache", "python", f"fixtures-{name}")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(os.path.join(folder, ".installed")):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:", *pins], check=True)
        open(os.path.join(folder, ".installed"), "w").close()
    return python


def main(prefixes):
    paths = [os.path.join(HERE, "scripts"), os.path.join(ROOT, "test", "python")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    reference = interpreter("reference")
    for folder, pins in ENVIRONMENTS.items():
        target = os.path.join(HERE, folder)
        if not prefixes:
            shutil.rmtree(target, ignore_errors=True)
        scripts = os.path.join(HERE, "scripts")
        writer = "write_stores.py" if folder.startswith("cellarr") else "write_arrays.py"
        subprocess.run(
            [interpreter(pins), os.path.join(scripts, writer), target, *prefixes], check=True, env=environment
        )
        if writer == "write_arrays.py":
            describe = os.path.join(scripts, "describe.py")
            subprocess.run([reference, describe, target, *prefixes], check=True, env=environment)
    write_releases(environment, prefixes)


if __name__ == "__main__":
    main(sys.argv[1:])
