"""The hot inner loops: one source each, run interpreted (the reference) or compiled (the fast one).

A kernel is a module in Cython's pure-Python mode. It takes buffers (numpy arrays) and returns or
fills numpy columns, raises `FormatError` or returns an offset of the fault, keeps bounds checks
on, and releases the GIL around its loop. Importing one gives the compiled module; the tests also
load the source itself and run the same suite over both (`tests/kernels/conftest.py`).
"""
