"""The wheels on PyPI whose core writes each format version, and how to get at the core in them.

Most are for Pythons that are long gone: they are unpacked, not installed, and their library is driven by ctypes.
"""

import glob
import os
import subprocess
import sys
import zipfile

# Format version -> (version of the wheel, tag of its Python, platform, version of its core).
WHEELS = {
    3: ("0.4.4", "cp37m", "manylinux1_x86_64", "1.6.3"),
    4: ("0.5.9", "cp37m", "manylinux1_x86_64", "1.7.7"),
    5: ("0.6.6", "cp37m", "manylinux2010_x86_64", "2.0.8"),
    6: ("0.7.7", "cp37m", "manylinux2010_x86_64", "2.1.6"),
    7: ("0.8.0", "cp37m", "manylinux2010_x86_64", "2.2.2"),
    8: ("0.8.11", "cp37m", "manylinux2010_x86_64", "2.2.9"),
    9: ("0.9.5", "cp37m", "manylinux2010_x86_64", "2.3.3"),
    10: ("0.10.5", "cp37m", "manylinux2010_x86_64", "2.4.3"),
    11: ("0.13.3", "cp37m", "manylinux2010_x86_64", "2.7.2"),
    12: ("0.14.5", "cp37m", "manylinux2010_x86_64", "2.8.3"),
    13: ("0.15.6", "cp37m", "manylinux2010_x86_64", "2.9.5"),
    14: ("0.16.5", "cp37m", "manylinux2010_x86_64", "2.10.4"),
    15: ("0.17.6", "cp37m", "manylinux2014_x86_64", "2.11.3"),
    16: ("0.18.3", "cp37m", "manylinux2014_x86_64", "2.12.3"),
    17: ("0.20.0", "cp37m", "manylinux2014_x86_64", "2.14.0"),
    18: ("0.21.6", "cp37m", "manylinux2014_x86_64", "2.15.4"),
    19: ("0.22.3", "cp38", "manylinux2014_x86_64", "2.16.3"),
    20: ("0.23.5", "cp38", "manylinux2014_x86_64", "2.17.5"),
    21: ("0.25.0", "cp38", "manylinux2014_x86_64", "2.19.0"),
    22: ("0.36.1", "cp311", "manylinux_2_28_x86_64", "2.30.0"),
}


def core_folder(version, cache):
    """A folder with the core of a format version and writer.json's content about it."""
    number, abi, platform, core = WHEELS[version]
    folder = os.path.join(cache, f"tiledb-{number}")
    wheel = _wheel(number, abi, platform, folder)
    if not os.path.isdir(os.path.join(folder, "tiledb")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        libraries = os.path.join(folder, "tiledb", ".libs")
        if os.path.isdir(libraries):  # of the oldest wheels; later ones have them where we look for them
            os.rename(libraries, os.path.join(folder, "tiledb.libs"))
    return folder, {"wheel": os.path.basename(wheel), "core": core, "format": version}


def _wheel(number, abi, platform, folder):
    os.makedirs(folder, exist_ok=True)
    if not glob.glob(os.path.join(folder, "*.whl")):
        digits = abi.removeprefix("cp").removesuffix("m")
        tags = ["--python-version", f"{digits[0]}.{digits[1:]}", "--implementation", "cp", "--abi", abi]
        tags += ["--platform", platform, "--only-binary=:all:", "--no-deps"]
        command = [sys.executable, "-m", "pip", "download", "-q", *tags, "-d", folder, f"tiledb=={number}"]
        subprocess.run(command, check=True)
    return glob.glob(os.path.join(folder, "*.whl"))[0]
