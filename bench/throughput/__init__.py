"""The same work on one real broker through Decibel, its peers and the floor; see docs/benchmarks.md."""
