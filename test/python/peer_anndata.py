"""H5AD files through anndata."""
