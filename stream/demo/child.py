"""A part of the demo as a process of its own: `python -m stream.demo.child PARENT worker|pages`.

It dies with the demo: without it a worker would look for its broker for ever.
"""

from __future__ import annotations

import sys

from stream.parent import die_with


def main() -> None:
    """Run a part of the demo by the settings in the environment, bound to the process that is the first argument."""
    die_with(int(sys.argv[1]))
    # First the bond, then what takes time to import.
    if sys.argv[2] == "pages":
        from stream.demo.pages import main as pages  # noqa: PLC0415

        pages()
    else:
        from stream.cli import main as decibel  # noqa: PLC0415

        decibel(["worker"], prog_name="decibel")


if __name__ == "__main__":
    main()
