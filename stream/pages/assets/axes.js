// Scales and axes of the charts: time across, a value from 0 up.

import { svg } from "./dom.js";
import { briefDate, hour } from "./text.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS = [
  10 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  28 * DAY_MS,
  91 * DAY_MS,
  365 * DAY_MS,
];
const TICK_PX = 92; // room for "7 Jan 12:00"

/** Where a plot lies in its drawing, and what it spans: times in epoch ms, values from 0 to `top`. */
export function plane({ width, height, left, right, above, below, from, to, top }) {
  const across = width - left - right;
  const up = height - above - below;
  return {
    width,
    height,
    left,
    from,
    to,
    top,
    across,
    up,
    end: width - right,
    floor: height - below,
    ceiling: above,
    x: (ms) => left + (across * (ms - from)) / Math.max(1, to - from),
    y: (value) => height - below - (up * Math.max(0, Math.min(top, value))) / top,
    time: (x) => from + ((x - left) / across) * (to - from),
  };
}

/** The ticks of the axis of time. */
export function timeAxis(plot) {
  const most = Math.max(2, Math.floor(plot.across / TICK_PX));
  const step = STEPS.find((each) => (plot.to - plot.from) / each <= most) ?? STEPS.at(-1);
  const group = svg("g", { class: "axis" });
  for (let ms = Math.ceil(plot.from / step) * step; ms <= plot.to; ms += step) {
    const x = plot.x(ms);
    const label = step < DAY_MS && ms % DAY_MS !== 0 ? hour(ms) : briefDate(ms);
    if (x < plot.left + 12 || x > plot.end - 12) continue;
    group.append(
      svg("line", { x1: x, x2: x, y1: plot.floor, y2: plot.floor + 5 }),
      svg("text", { x, y: plot.floor + 18, "text-anchor": "middle" }, label),
    );
  }
  return group;
}

/** A line across at `value`, with its name beside its right end, or inside the plot above it. */
export function guide(plot, value, name, beside) {
  const y = plot.y(value);
  const place = beside ? { x: plot.end + 6, y: y + 4 } : { x: plot.end, y: y - 4, "text-anchor": "end" };
  return svg(
    "g",
    { class: "guide" },
    svg("line", { x1: plot.left, x2: plot.end, y1: y, y2: y }),
    svg("text", place, name),
  );
}

/** Corners as a path. */
export const pathOf = (corners) =>
  corners.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
