"""All fixtures, in the order in which they are written."""

import fixtures_filters
import fixtures_fragments
import fixtures_schema
from fixture_kit import FIXTURES, READS, coordinates, dense, dim, grid, is_written, sparse

MODULES = (fixtures_schema, fixtures_filters, fixtures_fragments)

__all__ = ["FIXTURES", "READS", "coordinates", "dense", "dim", "grid", "is_written", "sparse"]
