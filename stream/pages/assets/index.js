// The index: the noise of all incidents together, how it stands against its average, and what moved it.

import { fallen } from "./curve.js";
import { fill, h, say, svg } from "./dom.js";
import { briefDate, counted, incidentHref, points, whole } from "./text.js";
import { titleOf } from "./titles.js";

const MOVERS_SHOWN = 3;
const WIDTH = 240; // of the curve, in its own units
const HEIGHT = 44;

/** The index inside `root`, its categories inside `parts`; `note(event)` takes an event, `show(now)` draws both. */
export function indexBox(root, parts) {
  const latest = new Map();
  const past = new Map();
  let stale = false;
  const number = h("p", { class: "index-number" });
  const against = h("p", { class: "index-against" });
  const curve = h("div", { class: "index-curve" });
  const movers = h("ul", { class: "index-movers" });
  const moved = h("div", {}, h("h3", {}, "What moved it of late"), movers);
  moved.hidden = true; // until something has
  fill(root, number, against, curve, moved);

  /** Take a category of an answer, with its past. */
  function put({ event, history }) {
    past.set(event.category, history);
    note(event);
  }

  /** Take an event; a brief one leaves as it was what it does not say. */
  function note(event) {
    const before = latest.get(event.category);
    if (before && Date.parse(before.at) > Date.parse(event.at)) return;
    latest.set(event.category, { ...before, ...event });
    stale = true;
  }

  function show(now) {
    const overall = latest.get("overall");
    if (!overall) {
      say(number, "–");
      return;
    }
    const value = (event) => fallen(event.value, event.at, event.half_life, now);
    const total = value(overall);
    say(number, whole(Math.floor(total)));
    say(against, standing(overall, total));
    if (!stale) return;
    stale = false;
    const categories = [...latest.values()].filter((event) => event.category !== "overall");
    const highest = Math.max(1, ...categories.map(value));
    categories.sort((a, b) => value(b) - value(a));
    fill(parts, ...categories.map((event) => category(event, value(event), highest)));
    fill(curve, pastOf(past.get("overall") ?? [], total, now));
    fill(movers, ...overall.movers.slice(0, MOVERS_SHOWN).map(mover));
    moved.hidden = overall.movers.length === 0;
  }

  function mover({ incident_id: id, points: by }) {
    return h(
      "li",
      {},
      h("span", { class: "number" }, points(by)),
      " ",
      h(
        "a",
        { href: incidentHref(id) },
        titleOf(id, () => (stale = true)),
      ),
    );
  }

  return { put, note, show };
}

/** The index as far back as it is kept, as a curve; from two points on. */
function pastOf(points, total, now) {
  if (points.length < 2) return null;
  const all = [...points.map(({ at, value }) => [Date.parse(at), value]), [now, total]];
  const [from, top] = [all[0][0], Math.max(...all.map(([, value]) => value), 1)];
  const line = all
    .map(
      ([ms, value]) =>
        `${(WIDTH * (ms - from)) / Math.max(1, now - from)} ${HEIGHT - 2 - ((HEIGHT - 4) * value) / top}`,
    )
    .join("L");
  const said = `The index since ${briefDate(from)}: from ${whole(Math.floor(all[0][1]))} to ${whole(Math.floor(total))}, at most ${whole(Math.floor(top))}`;
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said, preserveAspectRatio: "none" },
    svg("path", { class: "spark-area heat-1", d: `M0 ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z` }),
    svg("path", { class: "spark-line", d: `M${line}` }),
  );
}

function standing(event, total) {
  const over = counted(event.incidents, "incident");
  if (event.relative !== null && event.relative !== undefined && event.average > 0) {
    return `points over ${over}: ${(total / event.average).toFixed(2)} times its own average of months`;
  }
  const since = event.since
    ? ` Watched since ${briefDate(Date.parse(event.since))}: too short to hold it against an average.`
    : "";
  return `points over ${over}.${since}`;
}

function category(event, value, highest) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.inlineSize = `${(100 * value) / highest}%`;
  return h("li", {}, h("span", {}, event.category), h("span", { class: "number" }, whole(Math.floor(value))), bar);
}
