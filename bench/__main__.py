"""`python -m bench`: all benchmarks that take part in `make bench`; see `bench.throughput.__main__`."""

from bench.throughput.__main__ import main

if __name__ == "__main__":
    main()
