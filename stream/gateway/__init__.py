"""The gateway: what readers, dashboards and duty officers ask, answered from the view; and every event as it comes.

`app` assembles it, `run` runs it; one file answers for each resource. `hub` reads the live stream once and hands it to
all who listen (`live`).
"""
