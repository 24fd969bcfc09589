"""What it means: the mathematics of the noise score, pure. No I/O, no clock, no global, no Faust.

Start reading at `scoring.ledger`: it takes one observation from evidence to emitted events.
"""
