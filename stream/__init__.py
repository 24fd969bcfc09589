"""How it runs: settings, topics, the Faust app, tables, gateway, alert delivery, metrics, command line."""
