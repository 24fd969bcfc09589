// What an incident went through, the latest first: detection, states, peaks, levels, trend.

import { identity, told } from "./changes.js";
import { fill, h, timeOf } from "./dom.js";
import { moment } from "./text.js";

const FIRST_SHOWN = 12;

/** A list in `root`, all of it after a press of `button`; `note(topic, event)` takes a change, `show()` draws. */
export function timeline(root, button) {
  const changes = new Map();
  let whole = false;
  let stale = true;
  button.addEventListener("click", () => {
    whole = true;
    stale = true;
    show();
  });

  function note(topic, event) {
    const ident = identity(topic, event);
    if (changes.has(ident)) return [];
    changes.set(ident, { topic, event, ms: Date.parse(event.at) });
    stale = true;
    return told(topic, event);
  }

  function show() {
    if (!stale) return;
    stale = false;
    const ordered = [...changes.values()].sort((a, b) => b.ms - a.ms || b.event.revision - a.event.revision);
    const entries = ordered.flatMap(({ topic, event, ms }) => told(topic, event).map((each) => ({ ...each, ms })));
    const shown = whole ? entries : entries.slice(0, FIRST_SHOWN);
    fill(root, ...shown.map(entry));
    button.hidden = shown.length === entries.length;
  }

  /** The states it was in, in order: [{ms, state}]. */
  const states = () => ofTopic("state-changes").map(({ event, ms }) => ({ ms, state: event.to }));

  /** The new peaks it had: [{ms, noise}]. */
  const peaks = () =>
    ofTopic("peak-crossings")
      .filter(({ event }) => event.kind === "new_peak")
      .map(({ event, ms }) => ({ ms, noise: event.noise }));

  const ofTopic = (wanted) => [...changes.values()].filter(({ topic }) => topic === wanted).sort((a, b) => a.ms - b.ms);

  return { note, show, states, peaks, empty: () => changes.size === 0 };
}

const entry = ({ kind, text, why, ms }) =>
  h(
    "li",
    { class: `moment moment-${kind}` },
    timeOf(ms, moment(ms)),
    h("p", {}, h("strong", {}, text)),
    why ? h("p", { class: "note" }, why) : null,
  );
