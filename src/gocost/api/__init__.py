"""The public Python API: one function a command, each returning a `Report`.

`gocost.size(path)` is `gocost.api.size.size(path)`; `gocost/__init__.py` resolves the names lazily,
so that `import gocost` costs nothing.
"""
