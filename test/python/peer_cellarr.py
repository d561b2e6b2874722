"""Stores and slices through Python cellarr."""
