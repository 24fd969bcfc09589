// Beside the gauge: decay and its countdown, trend, peak, coverage, lead time; those that pass with time tick.

import { decay, fallsTo, noiseAt } from "./curve.js";
import { fill, h, say, timeOf } from "./dom.js";
import { bandOf } from "./levels.js";
import { counted, date, lead, moment, shown, span } from "./text.js";
import { trendLabel } from "./words.js";

/** A list in `root`; `set(score)` takes a score, `tick(now, all)` counts down. */
export function vitals(root) {
  const left = h("span", { class: "figure-number" });
  const since = h("span", { class: "note" });
  const step = h("dd", { class: "countdown" });
  const trend = h("dd");
  const peak = h("dd");
  const coverage = h("dd");
  const first = h("dd");
  const next = h("dd");
  const facts = [
    ["Decay", h("dd", {}, left, " ", since)],
    ["If nothing new comes", step],
    ["Trend", trend],
    ["Peak", peak],
    ["Coverage", coverage],
    ["Lead time", first],
    ["Next change by itself", next],
  ].map(([name, value]) => h("div", {}, h("dt", {}, name), value));
  fill(root, ...facts);
  let score = null;

  function set(given) {
    score = given;
    fill(trend, trendLabel(score.trend));
    const peaked = Date.parse(score.peak.at);
    fill(peak, h("span", { class: "figure-number" }, shown(score.peak.noise)), " on ", timeOf(peaked, date(peaked)));
    const [begun, last] = [Date.parse(score.first_seen), Date.parse(score.last_seen)];
    const estimated =
      score.audience_estimated > 0
        ? `; ${(100 * score.audience_estimated).toFixed(0)} % of its audience is an estimate`
        : "";
    fill(
      coverage,
      `${counted(score.items, "source item")} across ${counted(score.platforms, "platform")}`,
      h(
        "span",
        { class: "note" },
        "from ",
        timeOf(begun, moment(begun)),
        " to ",
        timeOf(last, moment(last)),
        estimated,
      ),
    );
    say(first, lead(score.lead_time));
  }

  function tick(now, all) {
    const noise = noiseAt(score, now);
    say(left, `${(100 * decay(score, now)).toFixed(1)} %`);
    say(
      since,
      `${span((now - Date.parse(score.anchor)) / 1000)} after the last new coverage; ${noise.toFixed(2)} points`,
    );
    say(step, countdown(score, noise, now, all));
    // One in the past is about to be told by the workers.
    const due = score.next_deadline ? Date.parse(score.next_deadline) : null;
    facts.at(-1).hidden = due === null || due <= now;
    if (due !== null) say(next, `${until(due, now)}, on ${moment(due)}`);
  }

  return { set, tick };
}

/** When the number that is shown becomes one less, and when the level is left. */
function countdown(score, noise, now, all) {
  const figure = shown(noise);
  const falls = fallsTo(score, figure);
  if (figure < 1 || falls === null) return "It stays below 1.";
  const band = bandOf(noise, all);
  const leaves = band.from > 0 ? fallsTo(score, band.from) : null;
  const level = leaves !== null && leaves > falls ? ` ${band.name} ends ${until(leaves, now)}.` : "";
  return `Falls to ${figure - 1} ${until(falls, now)}.${level}`;
}

/** `in 2 h 11 min 05 s` until `ms`. */
function until(ms, now) {
  const seconds = Math.max(0, Math.ceil((ms - now) / 1000));
  const parts = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  const two = (number) => String(number).padStart(2, "0");
  if (parts[0]) return `in ${parts[0]} d ${parts[1]} h ${two(parts[2])} min`;
  if (parts[1]) return `in ${parts[1]} h ${two(parts[2])} min ${two(parts[3])} s`;
  return parts[2] ? `in ${parts[2]} min ${two(parts[3])} s` : `in ${parts[3]} s`;
}
