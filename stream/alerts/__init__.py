"""Alerts: rules over the events of the score topics, and their delivery to people and other programs."""
