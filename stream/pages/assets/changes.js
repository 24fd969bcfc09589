// What happened to an incident, in words: changes of state and trend, peaks, crossings, merges.

import { date, shown, sentence } from "./text.js";

/** What a change is told as: [{kind, text, why}], latest words first; kind is a word for its mark. */
export function told(topic, event) {
  switch (topic) {
    case "state-changes":
      return [stateChange(event)];
    case "peak-crossings":
      return [crossing(event)];
    case "trend-updates":
      return trendUpdate(event);
    case "incident-merges":
      return [{ kind: "merge", text: `Merged into ${event.into}`, why: "Its items count there" }];
    default:
      return [];
  }
}

/** One word for one change, alike in an answer and in the live stream: whoever has seen it drops the repeat. */
export function identity(topic, event) {
  const id = event.incident_id ?? event.from;
  return JSON.stringify([topic, id, event.revision, event.kind ?? event.to ?? event.trend, event.activity ?? ""]);
}

/** The incident that a change is of. */
export const incidentOf = (topic, event) => (topic === "incident-merges" ? event.from : event.incident_id);

function stateChange(event) {
  const text = event.from ? `${event.to}, was ${event.from}` : `First detected: ${event.to}`;
  return { kind: "state", text, why: sentence(event.reason) };
}

function crossing(event) {
  const noise = shown(event.noise);
  switch (event.kind) {
    case "new_peak":
      return { kind: "peak", text: `New peak at ${noise}`, why: event.level };
    case "peaked":
      return {
        kind: "peak",
        text: `Peaked at ${shown(event.peak.noise)} on ${date(Date.parse(event.peak.at))}`,
        why: "It has stayed below for long enough to say so",
      };
    case "rose_above":
      return { kind: "rise", text: `Rose to ${event.level}`, why: `Noise ${noise}` };
    default:
      return { kind: "fall", text: `Fell below ${event.level}`, why: `Noise ${noise}` };
  }
}

const ACTIVITY = {
  spiking: (event) => `Volume spikes: ${event.multiple.toFixed(1)} times its usual`,
  subsided: () => "The spike has subsided",
  silent: () => "Coverage has fallen silent",
  normal: () => "Volume is back to normal",
};

function trendUpdate(event) {
  const found = [];
  if (event.trend !== event.previous) {
    const slope = `${event.slope < 0 ? "−" : "+"}${Math.abs(event.slope).toFixed(1)} points an hour`;
    found.push({ kind: "trend", text: `${event.trend}, was ${event.previous}`, why: slope });
  }
  if (event.activity !== event.previous_activity && ACTIVITY[event.activity]) {
    found.push({ kind: "trend", text: ACTIVITY[event.activity](event), why: "" });
  }
  return found;
}
