"""Queries whose answers are kept with the fixtures of old formats. Times count writes: 1 is the first."""

_BOX = {"ranges": {"r": [[2, 5]], "c": [[0, 4], [7, 7]]}}
_AT = [{"timestamp": 1}, {"timestamp": 2}, {"timestamp": [2, 3]}, _BOX]

READS = {
    "sparse-1d.float64": [{"ranges": {"d": [[-2.5, 0.25], [3.0, 1e5]]}}],
    "sparse-1d.datetime": [{"ranges": {"d": [[-3, 17]]}}],
    "sparse-2d.int": [_BOX, {"order": "col-major"}],
    "sparse-2d.col-major": [_BOX, {"order": "col-major"}],
    "sparse-2d.hilbert": [_BOX],
    "sparse-2d.int-string": [{"ranges": {"i": [[0, 3], [5, 5]], "s": [["a", "c"]]}}, {"order": "col-major"}],
    "sparse-3d.mixed": [{"ranges": {"x": [[2.0, 7.5]], "z": [["b", "b"]]}}],
    "dense-2d.orders": [_BOX, {"order": "col-major"}],
    "dense-2d.partial": [{"ranges": {"r": [[1, 10]], "c": [[1, 10]]}}],
    "dense-2d.overlapping": [{"timestamp": 2}, {"ranges": {"r": [[4, 7]], "c": [[1, 2]]}}],
    "dense-2d.sparse-fragments": [{"timestamp": 1}, {"timestamp": 2}, {"timestamp": 3}, _BOX, {"order": "col-major"}],
    "dense-3d": [{"ranges": {"x": [[0, 1]], "y": [[1, 1], [3, 4]], "z": [[2, 2]]}}, {"order": "col-major"}],
    "fragments.overlapping": _AT,
    "fragments.duplicates": _AT,
    "fragments.consolidated": [{"timestamp": 2}, {"timestamp": 3}, _BOX],
    "fragments.consolidated-vacuumed": [{"timestamp": 2}, {"timestamp": 3}, _BOX],
    "fragments.consolidated-timestamps": _AT,
    "fragments.commits-consolidated": _AT,
    "fragments.metadata-consolidated": _AT,
    "fragments.evolved": [{"timestamp": 1}],
    "deletes": [{"timestamp": 1}, {"timestamp": 3}, {"timestamp": 4}],
    "deletes.consolidated": [{"timestamp": 1}, {"timestamp": 3}, {"timestamp": 5}],
    "encrypted.sparse": [{"timestamp": 1}],
}
