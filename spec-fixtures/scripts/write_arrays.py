"""python write_arrays.py TARGET [PREFIX ...]: the fixtures that this core can write, without their descriptions."""

import os
import shutil
import sys

from fixture_list import FIXTURES, is_written, key_of
from libtiledb import encrypted

target, prefixes = sys.argv[1], tuple(sys.argv[2:])
failed = []
version = int(os.path.basename(target)[1:])
for name, (write, _since) in FIXTURES.items():
    if not is_written(name, version) or (prefixes and not name.startswith(prefixes)):
        continue
    folder = os.path.join(target, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        with encrypted(key_of(name)):
            write(os.path.join(folder, "group" if name.startswith("group.") else "array"))
    except Exception as error:
        shutil.rmtree(folder)
        failed.append(f"{name} of format {version}: {error}")
if failed:
    sys.exit("\n".join(failed))
