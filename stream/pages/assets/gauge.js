// The gauge: noise 0 to 100 on an arc of bands, the band's name below the number.

import { fill, h, say, svg } from "./dom.js";
import { shown } from "./text.js";

const RADIUS = 88;
const CENTRE = { x: 100, y: 100 };
const GAP = 0.6; // of 100, between two bands

/** A gauge inside `root`; `set(noise, band)` moves it. A screen reader meets it as a meter. */
export function gauge(root, all) {
  const marker = svg("path", { class: "gauge-marker", d: needle() });
  const reached = svg("g");
  const number = h("span", { class: "gauge-number" });
  const level = h("p", { class: "gauge-level" });
  const arc = svg("svg", { viewBox: "0 0 200 112", class: "gauge-arc", "aria-hidden": "true", focusable: "false" });
  arc.append(...all.map((band, place) => stretch(band, band.from, next(all, place), "gauge-band")), reached, marker);
  const dial = h("div", {
    class: "gauge-dial",
    role: "meter",
    "aria-label": "Noise",
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  });
  const figure = h("p", { class: "gauge-figure" }, number, h("span", { class: "gauge-of" }, "/100"));
  figure.setAttribute("aria-hidden", "true"); // the meter says it
  dial.append(arc, figure);
  fill(root, dial, level);

  function set(noise, band) {
    const whole = shown(noise);
    say(number, String(whole));
    say(level, band.name);
    level.className = `gauge-level heat-${band.heat}`;
    dial.setAttribute("aria-valuenow", String(whole));
    dial.setAttribute("aria-valuetext", `${whole} of 100, ${band.name}`);
    const parts = all
      .map((each, place) => [each, each.from, Math.min(noise, next(all, place))])
      .filter(([, from, to]) => to > from)
      .map(([each, from, to]) => stretch(each, from, to, "gauge-reached"));
    fill(reached, ...parts);
    marker.setAttribute("transform", `rotate(${(1.8 * noise).toFixed(2)} ${CENTRE.x} ${CENTRE.y})`);
  }

  return { set };
}

const next = (all, place) => all[place + 1]?.from ?? 100;

function stretch(band, from, to, kind) {
  const end = to === 100 ? 100 : Math.max(from, to - GAP);
  return svg("path", { class: `${kind} heat-${band.heat}`, d: `M ${at(from)} A ${RADIUS} ${RADIUS} 0 0 1 ${at(end)}` });
}

function at(value, radius = RADIUS) {
  const angle = Math.PI * (1 - value / 100);
  return `${(CENTRE.x + radius * Math.cos(angle)).toFixed(2)} ${(CENTRE.y - radius * Math.sin(angle)).toFixed(2)}`;
}

/** A small triangle at 0 that points at the arc from inside. */
const needle = () => `M ${CENTRE.x - RADIUS + 9} ${CENTRE.y} l 11 -5 l 0 10 z`;
