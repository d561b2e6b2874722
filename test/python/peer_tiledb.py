"""Arrays through TileDB-Py."""


def echo(value):
    """The value back: tests of the wire."""
    return value
