"""Side by side: larix and other libraries on the same matrices. `python -m benchmarks --help` tells how."""
