"""What a partition has to tell: its events in their order, and one score for all that has changed of an incident."""

from __future__ import annotations

from typing import Final

from schemas.cloudevents import Output
from schemas.topics import NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from scoring import events, lifecycle, movement
from scoring.assessment import Assessment, next_deadline
from scoring.held import Held, ToScore
from scoring.incident import Incident
from scoring.movement import Before
from scoring.policy import Policy

DETECTED: Final = "first detected"


class Teller:
    """Gathers the events of one partition until they are taken.

    With `conflate` one score is told of an incident when they are taken, that of its latest revision; without, one of
    each revision, at once. Nothing else is ever left out. Where nothing `is_read`, what happens to incidents is counted
    and no event of it is made; and the row does not get the next deadline that it would be stored with.
    """

    def __init__(self, policy: Policy, *, conflate: bool, is_read: bool = True) -> None:
        self._policy, self._conflate, self._is_read = policy, conflate, is_read
        self._untold: dict[str, int] = {}
        self._scores = 0
        self._outputs: list[Output] = []
        self._to_score: list[tuple[str, Held]] = []

    def tell(self, output: Output) -> None:
        """Put an event in its place in the order."""
        self._outputs.append(output)

    def detected(self, incident_id: str, incident: Incident, now: float) -> None:
        """Tell that an incident has its first item."""
        if not self._is_read:
            self._count(STATE_CHANGES, 1)
            return
        figures = {"items": float(incident.items)}
        self.tell(
            events.state_change(
                incident_id, incident, self._policy, now, None, incident.state, DETECTED, figures
            )
        )

    def happened(
        self,
        incident_id: str,
        held: Held,
        now: float,
        assessed: Assessment,
        was: Before | None,
        due: float | None,
    ) -> None:
        """Tell what happened to an incident at `now`, and its score (see `score`)."""
        if not self._is_read:
            self._count_all(assessed)
        elif assessed.happened:
            self._tell_all(incident_id, held.incident, now, assessed)
        self.score(incident_id, held, was, due)

    def _tell_all(self, incident_id: str, incident: Incident, now: float, assessed: Assessment) -> None:
        policy = self._policy
        for crossing in assessed.crossings:
            self.tell(events.peak_crossing(incident_id, incident, policy, now, crossing))
        if assessed.words_were is not None:
            self.tell(events.trend_update(incident_id, incident, policy, now, *assessed.words_were))
        for step in assessed.steps:
            self.tell(
                events.state_change(
                    incident_id,
                    incident,
                    policy,
                    now,
                    step.previous,
                    step.to,
                    step.watch.reason,
                    lifecycle.evidence(incident, policy, step, now),
                )
            )

    def _count_all(self, assessed: Assessment) -> None:
        if assessed.crossings:
            self._count(PEAK_CROSSINGS, len(assessed.crossings))
        if assessed.words_were is not None:
            self._count(TREND_UPDATES, 1)
        if assessed.steps:
            self._count(STATE_CHANGES, len(assessed.steps))

    def _count(self, topic: str, events: int) -> None:
        self._untold[topic] = self._untold.get(topic, 0) + events

    @property
    def untold(self) -> dict[str, int]:
        """How many events of each topic were counted instead of told."""
        return self._untold | ({NOISE_SCORES: self._scores} if self._scores else {})

    def score(self, incident_id: str, held: Held, was: Before | None, due: float | None) -> None:
        """Tell the score of an incident's latest revision: at once, or when events are taken.

        `was` stood before it, None where a deadline brought it; `due` is the next deadline (epoch seconds), if known.
        """
        if not self._is_read:
            self._scores += 1
        elif not self._conflate:
            self._tell_score(incident_id, held, ToScore(was, due))
        else:
            if held.to_score is None:
                self._to_score.append((incident_id, held))
            held.to_score = ToScore(was, due)

    def take(self) -> list[Output]:
        """Return all there is to tell since the last call, scores that waited last, and begin anew."""
        for incident_id, held in self._to_score:
            assert held.to_score is not None
            self._tell_score(incident_id, held, held.to_score)
            held.to_score = None
        self._to_score.clear()
        told, self._outputs = self._outputs, []
        return told

    def _tell_score(self, incident_id: str, held: Held, to_score: ToScore) -> None:
        policy, incident, due = self._policy, held.incident, to_score.due
        if due is None:
            due = next_deadline(incident, policy, incident.as_of, held.look_ahead(policy))
        incident.due, incident.due_by = due, policy.fingerprint
        values = held.values(policy)
        change = movement.moved(to_score.was, incident, values, policy)
        self.tell(events.noise_score(incident_id, incident, policy, values, change, due))
