"""Decibel's peers, each a small program of its own; `catalogue` says how each is run and how to tell that it is done.

The programs import nothing of Decibel: some run in an environment of their own.
"""
