"""Replay: what a worker would give for the records of files, without Kafka.

`run` scores them in one process. For several, `jobs` starts and ends them and puts what they give in order; `share` is
what each of them replays. What it all came to is in `reached`.
"""
