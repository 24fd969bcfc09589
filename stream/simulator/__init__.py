"""A seeded simulator of controversies for demo, tests and load: no network, no real people, always the same.

The way of an observation: a shape (`shapes`) gives items per hour, thinning (`arrivals`) draws when items
appear, `items` draws what they are and how their counts grow, `simulation` merges all incidents in order of
observed_at. The words are in `plots`, the places in `platforms`.

>>> from stream.simulator import Simulation
>>> simulation = Simulation(seed=7, incidents=6, start=1_780_000_000.0)
>>> [profile.category.value for profile in simulation.profiles()][:2]
['IP / Copyright', 'Labor']
>>> first = next(simulation.observations())
>>> first.incident_id == simulation.incidents[0].id, first == next(simulation.observations())
(True, True)
"""

from stream.simulator.simulation import Incident, Simulation

__all__ = ["Incident", "Simulation"]
