"""`python -P told_and_stored.py`: all that a ledger tells and stores of a simulation, with profiles and a merge.

Run with the interpreted and with the compiled core, which PYTHONPATH chooses; the two are to print the same.
"""

import sys
from itertools import islice

from msgspec.structs import replace

from schemas.codec import encode
from scoring import ledger
from scoring.clock import Clock
from scoring.ledger import Ledger
from scoring.policy import load_policy
from scoring.rows import NoRows, decode_incident, encode_row
from stream.simulator import Simulation

START = 1_780_000_000.0
ITEMS = 6000
BATCH = 50
DAYS_AFTER_S = 40 * 86400.0


def tell(*said: object) -> None:
    sys.stdout.write(" ".join(map(str, said)) + "\n")


def collected(engine: Ledger) -> None:
    changes = engine.collect()
    for output in changes.outputs:
        tell(output.topic, output.id, repr(output.at), encode(output.event).decode())
    for key, row in changes.items.items():
        tell(key, encode_row(row).hex())
    for incident_id, incident in changes.incidents.items():
        row = encode_row(incident)
        assert encode_row(decode_incident(row)) == row
        tell(incident_id, row.hex())


def main() -> None:
    tell(ledger.__file__.endswith(".so"))
    simulation = Simulation(seed=7, incidents=40, start=START)
    profiles = simulation.profiles()
    for conflate in (True, False):
        engine = Ledger(load_policy(), NoRows(), clock=Clock.STREAM, conflate=conflate)
        for offset, profile in enumerate(profiles):
            engine.apply_profile(profile, offset, START)
        for offset, item in enumerate(islice(simulation.observations(), ITEMS)):
            engine.apply_item(item, offset, START + DAYS_AFTER_S)
            if offset % BATCH == 0:
                collected(engine)
        into = replace(profiles[0], merged_into=profiles[1].incident_id)
        engine.apply_profile(into, len(profiles), START + DAYS_AFTER_S)
        engine.advance(engine.time + DAYS_AFTER_S)
        collected(engine)
        for share in engine.index_shares():
            tell(encode(share).decode())


if __name__ == "__main__":
    main()
