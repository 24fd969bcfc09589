"""How it runs: workers, replay, the view, its gateway and pages, alerts, the board, the command line, each in a folder.

What several of them share lies at the top: settings, topics, Kafka's clients, files, HTTP.
"""
