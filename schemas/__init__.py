"""What is said: every event Decibel reads and writes, as frozen structs with their codecs.

This room imports nothing of ours. `schemas.codec` reads and writes the wire; `schemas.cloudevents` gives ids
and headers; `schemas.generate` writes the JSON Schemas and the AsyncAPI document for those who read from
outside.
"""
