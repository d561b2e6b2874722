"""Tiles that the official library filtered, with the values that went in.

    python spec-fixtures/filters/generate.py

with tiledb==0.36.1 (core 2.30, writes v22) and numpy==2.4.6, or tiledb==0.21.6 (core 2.15, v18) and numpy==1.26.4, for
Python 3.11. Writes v<format>/<set>.json here:

    fixed:  {version, datatype, cellValNum, values: zlib in base64, cases: [{filters: [...], tile: base64}]}
    text:   {version, datatype, offsets: [cells + 1], values: zlib in base64,
             cases: [{filters, offsetsFilters, tile: base64, offsetsTile: base64}]}

and schema.tdb, the file of an array schema.

Every array is dense, one-dimensional and has one tile, so that a data file is a tile. Filters are written as this package
writes them (src/format/filter-pipeline.ts). Combinations that the library refuses are left out.
"""

import base64
import glob
import json
import os
import shutil
import tempfile
import zlib

import numpy as np
import tiledb

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = tiledb.libtiledb.version()
VERSION = 22 if CORE >= (2, 19, 0) else 18
REINTERPRET = CORE >= (2, 16, 0)


def level(name):
    return lambda n=-1, **more: {"type": name, "level": n, **more}


gzip, zstd, lz4, rle, bzip2, dictionary, delta, double_delta = map(
    level, ["gzip", "zstd", "lz4", "rle", "bzip2", "dictionary", "delta", "double_delta"]
)


def plain(name):
    return {"type": name}


def window(name, size):
    return {"type": name, "maxWindow": size}


NONE, BITS, BYTES, MD5, SHA, XOR = map(
    plain, ["none", "bitshuffle", "byteshuffle", "checksum_md5", "checksum_sha256", "xor"]
)
WIDTH = window("bit_width_reduction", 256)
POSITIVE = window("positive_delta", 1024)

REINTERPRET_DTYPE = {"int32": np.int32, "uint8": np.uint8, "int64": np.int64, "uint16": np.uint16}


def to_tiledb(spec):
    kind = spec["type"]
    compressors = {
        "gzip": tiledb.GzipFilter,
        "zstd": tiledb.ZstdFilter,
        "lz4": tiledb.LZ4Filter,
        "rle": tiledb.RleFilter,
        "bzip2": tiledb.Bzip2Filter,
        "dictionary": tiledb.DictionaryFilter,
    }
    if kind in compressors:
        return compressors[kind](spec["level"])
    if kind in ("delta", "double_delta"):
        made = tiledb.DeltaFilter if kind == "delta" else tiledb.DoubleDeltaFilter
        if "reinterpret" in spec:
            return made(spec["level"], REINTERPRET_DTYPE[spec["reinterpret"]])
        return made(spec["level"])
    if kind == "bit_width_reduction":
        return tiledb.BitWidthReductionFilter(spec["maxWindow"])
    if kind == "positive_delta":
        return tiledb.PositiveDeltaFilter(spec["maxWindow"])
    if kind == "scale_float":
        return tiledb.FloatScaleFilter(spec["factor"], spec["offset"], spec["byteWidth"])
    return {
        "none": tiledb.NoOpFilter,
        "bitshuffle": tiledb.BitShuffleFilter,
        "byteshuffle": tiledb.ByteShuffleFilter,
        "checksum_md5": tiledb.ChecksumMD5Filter,
        "checksum_sha256": tiledb.ChecksumSHA256Filter,
        "xor": tiledb.XORFilter,
    }[kind]()


ALONE = [[], [NONE], [gzip()], [zstd()], [lz4()], [rle()], [bzip2()], [double_delta()], [delta()], [WIDTH], [POSITIVE]]
ALONE += [[BITS], [BYTES], [MD5], [SHA], [XOR]]
CHAINS = [
    [BYTES, zstd(5)],
    [BITS, lz4()],
    [BITS, BYTES],
    [delta(), BYTES, zstd(3)],
    [double_delta(), gzip(9)],
    [POSITIVE, WIDTH, zstd()],
    [WIDTH, gzip(1), MD5],
    [MD5, SHA, gzip(-1)],
    [SHA, BITS, lz4(), MD5],
    [rle(), bzip2(9)],
    [XOR, BYTES, gzip()],
    [window("bit_width_reduction", 30), window("positive_delta", 100)],
    [BYTES, rle()],
    [BITS, double_delta()],
]


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def write(attribute, cells, data, offsets_filters=None):
    """The files of the one attribute of a new array, by name."""
    folder = tempfile.mkdtemp()
    uri = os.path.join(folder, "array")
    try:
        dim = tiledb.Dim("d", domain=(0, cells - 1), tile=cells, dtype=np.uint64)
        more = {} if offsets_filters is None else {"offsets_filters": offsets_filters}
        schema = tiledb.ArraySchema(domain=tiledb.Domain(dim), attrs=[attribute], **more)
        tiledb.Array.create(uri, schema)
        with tiledb.open(uri, "w") as array:
            array[:] = data
        found = {}
        for path in glob.glob(uri + "/__fragments/*/a*.tdb"):
            with open(path, "rb") as file:
                found[os.path.basename(path)] = file.read()
        return found
    finally:
        shutil.rmtree(folder)


def save(name, content):
    folder = os.path.join(HERE, f"v{VERSION}")
    os.makedirs(folder, exist_ok=True)
    cases = content.pop("cases")
    lines = [json.dumps(case) for case in cases]
    head = json.dumps(content)[:-1]
    with open(os.path.join(folder, name + ".json"), "w") as file:
        file.write(head + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n")


def fixed(name, dtype, datatype, values, pipelines, cell_val_num=1):
    cells = len(values)
    cases = []
    for filters in pipelines:
        try:
            attr = tiledb.Attr("a", dtype=dtype, filters=tiledb.FilterList([to_tiledb(f) for f in filters]))
            found = write(attr, cells, values)
        except Exception as error:
            print("refused:", name, [f["type"] for f in filters], str(error).splitlines()[0][:90])
            continue
        cases.append({"filters": filters, "tile": b64(found["a0.tdb"])})
    raw = np.ascontiguousarray(values)
    save(
        name,
        {
            "version": VERSION,
            "datatype": datatype,
            "cellValNum": cell_val_num,
            "values": b64(zlib.compress(raw.tobytes(), 9)),
            "cases": cases,
        },
    )


def integers(dtype, pattern, cells, rng):
    info = np.iinfo(dtype)
    if pattern == "random":
        return rng.integers(info.min, info.max, cells, dtype=dtype, endpoint=True)
    if pattern == "small":
        base = -60 if info.min < 0 else 3
        return (base + rng.integers(0, 90, cells)).astype(dtype)
    # Increasing, with repeats.
    steps = rng.integers(0, 2, cells)
    start = max(info.min, -100) if info.min < 0 else 0
    room = min(int(info.max) - start, 10**12)
    return (start + np.minimum(np.cumsum(steps) * max(1, room // (cells * 2)), room)).astype(dtype)


def fixed_sets():
    rng = np.random.default_rng(7)
    for dtype in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]:
        for pattern, cells in [("random", 43), ("small", 75), ("increasing", 131)]:
            if VERSION == 18 and (dtype != "int64" or pattern != "increasing"):
                continue
            if pattern != "random" and dtype == "uint64" or pattern == "small" and dtype in ("uint32", "uint16"):
                continue
            if pattern == "random" and dtype not in ("int16", "uint32", "int64", "uint64"):
                continue
            pipelines = ALONE + CHAINS
            if pattern != "increasing":
                pipelines = [p for p in pipelines if not any(f["type"] == "positive_delta" for f in p)]
            fixed(f"{dtype}.{pattern}", np.dtype(dtype), dtype, integers(dtype, pattern, cells, rng), pipelines)
    fixed("float32", np.float32, "float32", rng.normal(size=75).astype("f4"), float_pipelines())
    days = np.datetime64("2020-01-01", "ns") + np.cumsum(rng.integers(0, 10**14, 60)).astype("timedelta64[ns]")
    fixed("datetime_ns", np.dtype("M8[ns]"), "datetime_ns", days, ALONE + CHAINS)
    if VERSION == 18:
        return
    fixed("float64", np.float64, "float64", rng.normal(size=45), float_pipelines())
    fixed("bool", np.dtype("bool"), "bool", rng.integers(0, 2, 100).astype(bool), [p for p in ALONE if p != [POSITIVE]])
    triples = rng.integers(0, 5, (90, 3)).astype("i4")
    triples[20:60] = triples[20]
    record = np.dtype([("", np.int32)] * 3)
    cells = np.ascontiguousarray(triples).view(record).reshape(-1)
    fixed("int32.triples", record, "int32", cells, [[], [rle()], [BYTES, gzip()], [delta()], [BITS]], 3)


def float_pipelines():
    scale = {"type": "scale_float", "factor": 0.001, "offset": 0.25, "byteWidth": 4}
    narrow = {"type": "scale_float", "factor": 0.05, "offset": 0.0, "byteWidth": 1}
    wide = {"type": "scale_float", "factor": 0.000001, "offset": -3.5, "byteWidth": 8}
    pipelines = [p for p in ALONE if not p or p[0]["type"] not in ("positive_delta", "bit_width_reduction")]
    pipelines += [[BYTES, zstd()], [BITS, gzip(), MD5], [XOR, BITS, lz4()]]
    pipelines += [[scale], [narrow, gzip()], [wide, WIDTH, zstd()], [scale, double_delta()]]
    if REINTERPRET:
        as32, as16 = {"reinterpret": "int32"}, {"reinterpret": "uint16"}
        pipelines += [[delta(-1, **as32), BYTES, zstd()], [delta(-1, **as16), BITS], [double_delta(-1, **as32)]]
        pipelines += [[delta(-1, reinterpret="uint8"), rle()]]
    return pipelines


def large_sets():
    """More than one chunk, and more than one block of a shuffle."""
    values = (np.arange(20000) // 7).astype("u4")
    pipelines = [[gzip(9)], [zstd(9)], [bzip2()], [delta(), BYTES, zstd(9)], [BITS, zstd(9)], [WIDTH, gzip(9)]]
    pipelines += [[POSITIVE, gzip(9)], [double_delta(), zstd(9)], [lz4(), gzip(9)], [rle(), zstd(9)], [SHA, gzip(9)]]
    fixed("uint32.large", np.dtype("u4"), "uint32", values, pipelines)
    # Reaches the values that take the last, partly filled group of eight in a block.
    fixed("int64.block", np.dtype("i8"), "int64", np.arange(1029) % 7, [[BITS, zstd(9)], [BYTES, zstd(9)], [double_delta()]])


def text(name, dtype, datatype, strings, pipelines, offsets_filters):
    cells = len(strings)
    data = np.array(strings, dtype=object)
    encoded = [s if isinstance(s, bytes) else s.encode() for s in strings]
    cases = []
    for filters in pipelines:
        for offsets in offsets_filters:
            attr = tiledb.Attr("a", dtype=dtype, var=True, filters=tiledb.FilterList([to_tiledb(f) for f in filters]))
            try:
                made = tiledb.FilterList([to_tiledb(f) for f in offsets])
                found = write(attr, cells, data, made)
            except Exception as error:
                print("refused:", name, [f["type"] for f in filters], str(error).splitlines()[0][:90])
                continue
            cases.append(
                {
                    "filters": filters,
                    "offsetsFilters": offsets,
                    "tile": b64(found["a0_var.tdb"]),
                    "offsetsTile": b64(found["a0.tdb"]),
                }
            )
    lengths = [len(s) for s in encoded]
    save(
        name,
        {
            "version": VERSION,
            "datatype": datatype,
            "offsets": [0] + np.cumsum(lengths).tolist(),
            "values": b64(zlib.compress(b"".join(encoded), 9)),
            "cases": cases,
        },
    )


def text_sets():
    rng = np.random.default_rng(13)
    words = ["lung", "", "T cell", "B cell", "lymph node", "x" * 270]
    strings = [words[i] for i in np.repeat(rng.integers(0, 6, 15), rng.integers(1, 5, 15))]
    pipelines = [[], [gzip()], [zstd()], [rle()], [dictionary()], [rle(), zstd()], [dictionary(), gzip(), MD5]]
    pipelines += [[MD5, lz4()], [BYTES, bzip2()], [BITS, gzip()], [rle(), BITS], [double_delta()]]
    offsets = [[], [POSITIVE, WIDTH, zstd()]]
    text("text.ascii", "ascii", "string_ascii", strings, pipelines, offsets)
    utf8 = [s.replace("cell", "Zelle ä") for s in strings]
    text("text.utf8", "U0", "string_utf8", utf8, [[], [rle()], [dictionary()], [zstd()]], [[double_delta(), zstd()]])
    if VERSION == 18:
        return
    text("text.empty", "ascii", "string_ascii", [""] * 9, [[], [gzip()], [zstd()], [rle()], [dictionary()], [BYTES], [BITS], [MD5]], [[]])
    many = [words[i % 4] * (i % 90) for i in range(1200)]
    many[700] = "long " * 20000
    cells = [[zstd(9)], [gzip(9)], [rle(), zstd(9)], [dictionary(), zstd(9)]]
    text("text.large", "ascii", "string_ascii", many, cells, [[zstd(9)]])


def schema_file():
    """A whole generic tile."""
    folder = tempfile.mkdtemp()
    uri = os.path.join(folder, "array")
    dim = tiledb.Dim("d", domain=(0, 9), tile=10, dtype=np.int32)
    attr = tiledb.Attr("attribute", dtype=np.int32)
    tiledb.Array.create(uri, tiledb.ArraySchema(domain=tiledb.Domain(dim), attrs=[attr]))
    found = [path for path in glob.glob(uri + "/__schema/*") if os.path.isfile(path)]
    shutil.copyfile(found[0], os.path.join(HERE, "schema.tdb"))
    shutil.rmtree(folder)


fixed_sets()
if VERSION == 22:
    large_sets()
    schema_file()
text_sets()
