"""Benchmarks: side by side in one run, with ratios. `make bench` runs them; no test asserts on time."""
