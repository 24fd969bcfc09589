// One row of the board: rank, title, category and state, trend, curve, noise and level.

import { noiseAt } from "./curve.js";
import { fill, h, say } from "./dom.js";
import { bandOf } from "./levels.js";
import { incidentHref, shown } from "./text.js";
import { stateLabel, trendLabel } from "./words.js";

/** A row for an incident; `set(rank, entry, now, all)` shows it, `entry` being {id, title, score, trail}. */
export function row(id) {
  const rank = h("span", { class: "rank" });
  const link = h("a", { href: incidentHref(id) });
  const meta = h("p", { class: "row-meta" });
  const trend = h("p", { class: "row-trend" });
  const curve = h("div", { class: "row-spark" });
  const number = h("span", { class: "row-number" });
  const level = h("span", { class: "row-level" });
  const bar = h("span", { class: "row-bar", "aria-hidden": "true" }, h("span"));
  const noise = h("p", { class: "row-noise" }, h("span", { class: "unseen" }, "Noise "), number, " ", level);
  const element = h(
    "li",
    { class: "row", "data-incident": id },
    rank,
    h("div", { class: "row-title" }, h("h2", {}, link), meta),
    trend,
    curve,
    noise,
    bar,
  );
  let drawn = "";

  function set(place, { title, score, trail }, now, all) {
    const loud = noiseAt(score, now);
    const band = bandOf(loud, all);
    say(rank, String(place));
    say(link, title);
    say(number, String(shown(loud)));
    say(level, band.name);
    level.className = `row-level heat-${band.heat}`;
    bar.className = `row-bar heat-${band.heat}`;
    bar.firstChild.style.inlineSize = `${loud.toFixed(1)}%`;
    const words = `${score.category} ${score.state} ${score.trend}`;
    if (element.dataset.words !== words) {
      element.dataset.words = words;
      fill(meta, stateLabel(score.state), " ", h("span", { class: "category" }, score.category));
      fill(trend, trendLabel(score.trend));
    }
    // The curve changes visibly by the hour, or with a score.
    const shape = `${score.revision} ${Math.floor(now / 1_800_000)} ${band.heat}`;
    if (shape !== drawn) {
      drawn = shape;
      fill(curve, trail.draw(now, loud, band.heat));
    }
  }

  return { element, set };
}
