"""Fixtures of filters: each alone and in chains, on attributes, dimensions, offsets and validity."""

import numpy as np
from cells import fixed, numbers, small, var, words
from fixture_kit import PLAIN, create, dense, dim, fixture, grid, sparse, write_box, write_points
from libtiledb import numpy_type

# --- filters ------------------------------------------------------------------------------------------------------

COUNT = 100


def _filtered(filters, types, text=(), chunk=65536, offsets=None, dims=True, validity=None, halve=0):
    """Cells through `filters`: attributes of `types` (shifted right by `halve` bits), text attributes, the dimension."""

    def write(uri):
        pipeline = {"maxChunkSize": chunk, "filters": filters}
        attributes = [{"name": f"a_{t}", "datatype": t, "filters": pipeline} for t in types]
        attributes += [{"name": f"s_{t}", "datatype": t, "filters": pipeline} for t in text]
        attributes.append({"name": "n", "datatype": "int32", "nullable": True})
        dimension = dim("d", "int64", (0, 10**6), 1000)
        if dims:
            dimension["filters"] = pipeline
        spec = sparse([dimension], attributes, capacity=45)
        if offsets is not None:
            spec["offsetsFilters"] = {"maxChunkSize": chunk, "filters": offsets}
        if validity is not None:
            spec["validityFilters"] = {"maxChunkSize": chunk, "filters": validity}
        create(uri, spec)
        rng = np.random.default_rng(11)
        points = np.cumsum(rng.integers(1, 100, COUNT)).tolist()
        cells = {f"a_{t}": fixed(_telling(rng, t) >> halve if halve else _telling(rng, t)) for t in types}
        cells.update({f"s_{t}": var(words(rng, t, COUNT)) for t in text})
        write_points(uri, spec, [(point,) for point in points], **cells)

    return write


def _telling(rng, datatype):
    """Half small values with runs, half anything."""
    values = small(rng, datatype, COUNT)
    values[COUNT // 2 :] = numbers(rng, datatype, COUNT - COUNT // 2)
    return values


_ALL = ["uint8", "int16", "int32", "uint64", "float32", "float64", "datetime_ms"]
_INTS = ["int8", "uint16", "int32", "uint32", "int64", "uint64"]
_TEXT = ["string_ascii", "string_utf8"]
for _name in ("gzip", "zstd", "lz4", "bzip2"):
    fixture(f"filters.{_name}", 18)(_filtered([_name], _ALL, _TEXT, offsets=[_name], validity=[_name]))
for _name in ("byteshuffle", "bitshuffle", "checksum_md5", "checksum_sha256"):
    _tail = [] if _name.startswith("checksum") else ["zstd"]
    fixture(f"filters.{_name}", 22)(_filtered([_name, *_tail], _ALL, _TEXT, offsets=[_name], validity=[_name]))
    fixture(f"filters.{_name}.small-chunks", 22)(_filtered([_name], _ALL, _TEXT, chunk=100, offsets=[_name]))
fixture("filters.none", 22)(_filtered([], _ALL, _TEXT, offsets=[], validity=[]))
fixture("filters.noop", 22)(_filtered(["none"], _ALL, _TEXT, offsets=["none"], validity=["none"]))
fixture("filters.rle", 18)(_filtered(["rle"], _ALL, _TEXT, offsets=["rle"], validity=["rle"]))
fixture("filters.rle.text", 18)(_filtered(["rle", "zstd"], [], _TEXT, dims=False))
fixture("filters.dictionary.text", 18)(_filtered(["dictionary", "gzip"], [], _TEXT, dims=False))
fixture("filters.dictionary.plain", 22)(_filtered(["dictionary"], [], _TEXT, dims=False))
fixture("filters.double_delta", 18)(
    # The core refuses differences of differences beyond 64 bits.
    _filtered(["double_delta"], [*_INTS, "datetime_ms"], offsets=["double_delta"], halve=3)
)
for _first, _name in enumerate(("bit_width_reduction", "positive_delta")):
    _types = _INTS if _first == 0 else []
    for _window in (256, 64):
        _spec = {"type": _name, "maxWindow": _window}
        fixture(f"filters.{_name}.window-{_window}", 18 if _window == 256 else 22)(
            _filtered([_spec], _types, offsets=[_spec, "zstd"])
        )
fixture("filters.gzip.small-chunks", 18)(_filtered(["gzip"], _ALL, _TEXT, chunk=200, offsets=["gzip"]))
fixture("filters.zstd.level-9", 22)(_filtered([{"type": "zstd", "level": 9}], _ALL, _TEXT))
fixture("filters.chain.shuffles", 22)(
    _filtered(["byteshuffle", "bitshuffle", "zstd", "checksum_sha256"], _ALL, _TEXT, offsets=["positive_delta", "zstd"])
)
fixture("filters.chain.bit-width", 22)(
    _filtered(["bit_width_reduction", "byteshuffle", "lz4", "checksum_md5"], _INTS, chunk=1000)
)
_delta = {"type": "delta", "level": -1}
fixture("filters.delta", 19)(_filtered([_delta], [*_INTS, "datetime_ms"], offsets=[_delta]))
fixture("filters.chain.delta-shuffle", 19)(_filtered([_delta, "byteshuffle", "zstd"], _INTS, offsets=[_delta, "zstd"]))
fixture("filters.chain.delta-small-chunks", 22)(_filtered([_delta, "bitshuffle", "gzip"], _INTS, chunk=128))
fixture("filters.delta.reinterpret", 22)(
    _filtered([{**_delta, "reinterpret": "int32"}], ["int32", "uint32", "int64", "float32", "float64"])
)
fixture("filters.double_delta.reinterpret", 22)(
    _filtered([{"type": "double_delta", "level": -1, "reinterpret": "uint16"}], ["int32", "uint16", "float32"], dims=False)
)
fixture("filters.xor", 22)(_filtered(["xor"], ["int8", "int16", "int32", "uint64", "float32", "float64"]))


@fixture("filters.scale_float", 22)
def _(uri):
    def scaled(width):
        return [{"type": "scale_float", "factor": 0.01, "offset": -3.0, "byteWidth": width}, "zstd"]

    attributes = [{"name": f"{t}_{w}", "datatype": t, "filters": scaled(w)} for t in ("float32", "float64") for w in (2, 4, 8)]
    spec = sparse([dim("d", "int32", (0, 999))], attributes)
    create(uri, spec)
    values = np.random.default_rng(4).normal(size=50) * 100
    cells = {a["name"]: fixed(values.astype(numpy_type(a["datatype"]))) for a in attributes}
    write_points(uri, spec, [(i * 3,) for i in range(50)], **cells)


@fixture("filters.string-dimension", 18)
def _(uri):
    dims = [dim("r", "string_ascii", filters=["rle"]), dim("c", "string_ascii", filters=["dictionary", "zstd"])]
    spec = sparse(dims, [PLAIN], capacity=20)
    create(uri, spec)
    write_points(uri, spec, [(f"cell{r}", "gene" * (c % 3) + str(c)) for r, c in grid(70, 8, 15, 12)])


@fixture("filters.dense", 18)
def _(uri):
    kinds = [["byteshuffle", "gzip"], ["double_delta"], ["bit_width_reduction", "zstd"], ["lz4"], ["bzip2"], ["rle"]]
    attributes = [{"name": f"a{i}", "datatype": "uint32", "filters": f} for i, f in enumerate(kinds)]
    attributes.append({"name": "s", "datatype": "string_ascii", "filters": ["dictionary"]})
    spec = dense([dim("r", "int32", (0, 29), 16), dim("c", "int32", (0, 19), 8)], attributes)
    create(uri, spec)
    rng = np.random.default_rng(12)
    given = {f"a{i}": fixed(small(rng, "uint32", 600)) for i in range(len(kinds))}
    write_box(uri, spec, [[0, 29], [0, 19]], **given)


def _webp(form, lossless):
    """8 x 6 pixels of 3 cells to a tile, or 6 x 6 of 4. The core tells only one attribute, the last, the tiles' extents."""

    def write(uri):
        webp = {"type": "webp", "quality": 60, "format": form, "lossless": lossless}
        attributes = [PLAIN, {"name": "pixels", "datatype": "uint8", "filters": [webp]}]
        spec = dense([dim("y", "int32", (0, 8), 6), dim("x", "int32", (0, 35), 24)], attributes)
        create(uri, spec)
        given = fixed(_picture(np.random.default_rng(21), len(form)))
        write_box(uri, spec, [[0, 8], [0, 35]], pixels=given)

    return write


for _form in ("rgb", "bgr", "rgba", "bgra"):
    fixture(f"filters.webp.{_form}-lossless", 22)(_webp(_form, True))
    fixture(f"filters.webp.{_form}-lossy", 22)(_webp(_form, False))


def _picture(rng, depth):
    """9 rows of 36 cells: colours that change slowly, with some noise; a pixel without any colour may be seen through."""
    rows, columns = np.mgrid[0:9, 0 : 36 // depth]
    channels = [rows * 20 + 10, columns * 18 + 20, 220 - rows * 9 - columns * 8, 255 - rows * columns * 3]
    pixels = np.stack(channels[:depth], -1) + rng.integers(0, 12, (9, 36 // depth, depth))
    return np.clip(pixels, 0, 255).astype("u1").reshape(-1)


@fixture("filters.var-large", 22)
def _(uri):
    """Cells longer than a chunk, chunks that don't end where cells do."""
    attributes = [
        {"name": "s", "datatype": "string_ascii", "filters": {"maxChunkSize": 64, "filters": ["zstd"]}},
        {"name": "v", "datatype": "int32", "cellValNum": "var", "filters": {"maxChunkSize": 50, "filters": ["byteshuffle", "lz4"]}},
    ]
    spec = sparse([dim("d")], attributes, capacity=5)
    create(uri, spec)
    rng = np.random.default_rng(3)
    texts = [bytes(rng.integers(97, 123, length).astype("u1")) for length in (0, 1, 63, 64, 65, 200, 3, 130, 0, 64, 1)]
    ints = [numbers(rng, "int32", length).tobytes() for length in (0, 12, 13, 1, 40, 0, 3, 25, 2, 12, 0)]
    write_points(uri, spec, [(i * 9,) for i in range(11)], s=var(texts), v=var(ints))
