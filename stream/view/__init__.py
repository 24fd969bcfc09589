"""The view: what readers ask for, kept in Redis from the topics that the workers write.

`sink` reads the topics and writes the view; `rebuild` makes a new one beside it and switches; `reader` is how
everybody else looks at it. A view can be lost: all of it comes from Kafka.
"""
