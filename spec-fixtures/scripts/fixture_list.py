"""All fixtures, in the order in which they are written."""

import fixtures_features
import fixtures_filters
import fixtures_fragments
import fixtures_schema
import fixtures_wide
from fixture_kit import FIXTURES, READS, coordinates, dense, dim, grid, is_written, key_of, sparse

MODULES = (fixtures_schema, fixtures_filters, fixtures_fragments, fixtures_features, fixtures_wide)

__all__ = ["FIXTURES", "READS", "coordinates", "dense", "dim", "grid", "is_written", "key_of", "sparse"]
