// A sparkline: the noise of the last two days, as high as the loudest of them. The row beside it says it in words.

import { svg } from "./dom.js";

const WIDTH = 112;
const HEIGHT = 28;
const SPAN_MS = 48 * 3_600_000;
const SAMPLES = 48;

/** How many samples of the last two days to ask the gateway for. */
export const SPARK_SAMPLES = SAMPLES;

/** The noise of one incident over the last two days: samples as the gateway gave them at `ms`, then what comes live. */
export class Trail {
  #points;

  constructor(samples, ms) {
    const step = SPAN_MS / Math.max(1, samples.length - 1);
    this.#points = samples
      .map((noise, place) => [ms - (samples.length - 1 - place) * step, noise])
      .filter(([, noise]) => noise !== null);
  }

  /** Note a score; of one cell of time the last one stays. */
  note(ms, noise) {
    const cell = SPAN_MS / SAMPLES;
    const before = this.#points.at(-2);
    if (before !== undefined && ms - before[0] < cell) this.#points.pop();
    this.#points.push([ms, noise]);
    while (this.#points.length > 2 && this.#points[1][0] < ms - SPAN_MS) this.#points.shift();
  }

  /** Draw it up to `now` (epoch ms), where the noise is `noise`. */
  draw(now, noise, heat) {
    return drawn([...this.#points, [now, noise]], now, heat);
  }
}

function drawn(points, now, heat) {
  const top = Math.max(...points.map(([, noise]) => noise), 1);
  const x = (ms) => 3 + (WIDTH - 8) * Math.max(0, 1 - (now - ms) / SPAN_MS);
  const y = (noise) => HEIGHT - 3 - ((HEIGHT - 6) * noise) / top;
  const line = points.map(([ms, noise]) => `${x(ms).toFixed(1)} ${y(noise).toFixed(1)}`).join("L");
  const [start, end] = [points[0], points.at(-1)];
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: `spark heat-${heat}`, "aria-hidden": "true", focusable: "false" },
    svg("path", {
      class: "spark-area",
      d: `M${x(start[0]).toFixed(1)} ${HEIGHT}L${line}L${x(end[0]).toFixed(1)} ${HEIGHT}Z`,
    }),
    svg("path", { class: "spark-line", d: `M${line}` }),
    svg("circle", { class: "spark-end", cx: x(end[0]).toFixed(1), cy: y(end[1]).toFixed(1), r: "2.6" }),
  );
}
