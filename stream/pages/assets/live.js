// The live stream: events as they come, on from the last one heard, whatever happens to the connection.

import { hear } from "./curve.js";

/** The topics whose events are passed on. */
export const TOPICS = [
  "noise-scores",
  "state-changes",
  "trend-updates",
  "peak-crossings",
  "incident-merges",
  "noise-index",
  "incident-profiles",
];

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * A connection to /live that mends itself.
 *
 * `on.event(topic, event)` gets each event, once and in order. `on.snapshot()` says that events may be missing: all
 * that is shown must be asked for anew. `on.state(word)` gets "connecting", "live", "lost".
 *
 * The browser resumes by Last-Event-ID where the connection breaks. Where it gives up (the answer was no stream: a
 * proxy's page, a refusal), a new connection is made here, after the last place heard.
 */
export class Live {
  #filters;
  #on;
  #source = null;
  #place = null;
  #wait = FIRST_WAIT_MS;

  constructor(filters, on) {
    this.#filters = filters;
    this.#on = on;
  }

  /** Connect, and go on from `place`: where the stream was before the answers were made that are shown. */
  start(place) {
    this.#place = place;
    this.#on.state("connecting");
    this.#connect();
    return this;
  }

  /** Leave, for good. */
  stop() {
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    const source = new EventSource(`/live?${this.#query()}`);
    this.#source = source;
    source.onopen = () => {
      this.#wait = FIRST_WAIT_MS;
      this.#on.state("live");
    };
    source.onerror = () => {
      this.#on.state("lost");
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return;
      setTimeout(() => source === this.#source && this.#connect(), this.#wait * (0.5 + Math.random()));
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    };
    for (const topic of TOPICS) source.addEventListener(topic, (message) => this.#take(topic, message));
    source.addEventListener("snapshot", (message) => {
      if (message.lastEventId) this.#place = message.lastEventId;
      this.#on.snapshot();
    });
  }

  #query() {
    const query = new URLSearchParams(this.#filters);
    query.set("after", this.#place);
    return query;
  }

  #take(topic, message) {
    if (message.lastEventId) this.#place = message.lastEventId;
    const event = JSON.parse(message.data);
    const at = event.as_of ?? event.at;
    if (at) hear(at);
    this.#on.event(topic, event);
  }
}
