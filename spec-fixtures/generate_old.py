"""Writes the fixtures of old format versions: arrays made by the cores of their time, told by the newest one.

    python3 spec-fixtures/generate_old.py --out DIR                  all
    python3 spec-fixtures/generate_old.py --out DIR v4 v10           some versions
    python3 spec-fixtures/generate_old.py --out DIR v4 --only dense  some fixtures, by the beginning of their names

Linux on x86-64, Python 3.11. Each version's wheel comes from PyPI (scripts/old_wheels.py) into .cache/python.

    vN/<name>/array/       the array        schema.json, cells.json, reads.json    as those of generate.py
                                            writer.json                            {wheel, core, format, encryptionKey?}

Times of writing are part of formats 3 and 4 (their cores take none from outside): reads.json gives the real ones.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SCRIPTS = os.path.join(HERE, "scripts")
sys.path.insert(0, SCRIPTS)

from generate import interpreter  # noqa: E402
from old_wheels import WHEELS, core_folder  # noqa: E402


def environment(**more):
    paths = os.pathsep.join([SCRIPTS, os.path.join(ROOT, "test", "python")])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", **more}


def generate(version, out, python, prefixes):
    """Whether all went well; a failure of one fixture doesn't stop the others."""
    target = os.path.join(out, f"v{version}")
    if not prefixes:
        shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target, exist_ok=True)
    folder, writer = core_folder(version, os.path.join(ROOT, ".cache", "python"))
    write = [python, os.path.join(SCRIPTS, "old_write.py"), str(version), target, *prefixes]
    written = subprocess.run(write, env=environment(TILEDB_WHEEL=folder))
    describe = [python, os.path.join(SCRIPTS, "old_describe.py"), target, json.dumps(writer), *prefixes]
    described = subprocess.run(describe, env=environment())
    return written.returncode == 0 and described.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("versions", nargs="*", default=[])
    options = parser.parse_args()
    python = interpreter("reference")
    versions = [int(name.removeprefix("v")) for name in options.versions] or list(WHEELS)
    done = [generate(version, os.path.abspath(options.out), python, options.only) for version in versions]
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
