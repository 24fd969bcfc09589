"""What grows with incidents, items and workers, and what must not; `python -m bench.growth` measures it."""
