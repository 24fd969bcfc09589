"""A worker: one member of the group that scores items as they come, in Faust.

`run` runs it and `app` composes it. `transport` brings what a fetch gave; `partitions` has a ledger for each partition
and gathers what it changes in a `window`; `commit` sends that in its order; `tables` keep the rows, on `shelves`.
`timekeeper` fires what is due while nothing comes.
"""
