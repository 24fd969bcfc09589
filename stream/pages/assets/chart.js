// The charts of an incident, drawn as wide as they are shown: noise over time, and how divided the reaction was.

import { guide, pathOf, plane, timeAxis } from "./axes.js";
import { fallen } from "./curve.js";
import { fill, h, svg } from "./dom.js";
import { moment, shown } from "./text.js";

const NARROW_PX = 480; // a phone's
const MARGIN_PX = 86; // for the names of the levels, where the page is wide enough
const HOUR_MS = 3_600_000;
const SAMPLE_PX = 6; // between two points of the curve that are drawn

/**
 * A figure with a drawing in it that follows its width, a sentence for those who do not see it, and a table.
 *
 * `draw(width)` gives {title, summary, elements, height}; `rows()` gives {columns, rows} of the table.
 */
export function chart(root, draw, rows) {
  const drawing = svg("svg", { class: "chart", role: "img", focusable: "false" });
  const title = svg("title", { id: `${root.id}-title` });
  const summary = svg("desc", { id: `${root.id}-desc` });
  drawing.setAttribute("aria-labelledby", `${title.id} ${summary.id}`);
  const plain = h("details", { class: "figures" }, h("summary", {}, "The figures as a table"));
  plain.addEventListener("toggle", () => plain.open && tabulate());
  root.append(drawing, plain);

  function tabulate() {
    const { columns, rows: lines } = rows();
    const head = h(
      "tr",
      {},
      columns.map((column) => h("th", { scope: "col" }, column)),
    );
    const body = lines.map(([first, ...rest]) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, first),
        rest.map((cell) => h("td", { class: "number" }, cell)),
      ),
    );
    const table = h("table", {}, h("thead", {}, head), h("tbody", {}, body));
    // What scrolls must be reachable by keyboard.
    const box = h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Figures: ${title.textContent}` },
      table,
    );
    fill(plain, plain.firstChild, box);
  }

  function redraw() {
    const width = root.clientWidth;
    if (width === 0) return;
    const drawn = draw(width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${drawn.height}`);
    drawing.setAttribute("height", String(drawn.height));
    if (title.textContent !== drawn.title) title.textContent = drawn.title;
    if (summary.textContent !== drawn.summary) summary.textContent = drawn.summary;
    fill(drawing, title, summary, ...drawn.elements);
  }

  new ResizeObserver(redraw).observe(root);
  return { redraw };
}

/**
 * The noise over time: `points` [{at, noise}] in order, falling between them by `half_life` (s) up to `now` (epoch
 * ms); then the `forecast` of a score of `as_of`. `states` [{ms, state}], `peaks` [{ms, noise, final}], `all` bands.
 */
export function noiseDrawing({ points, half_life, now, forecast, as_of, states, peaks, all }, width) {
  const narrow = width < NARROW_PX;
  const from = Math.min(
    Date.parse(points[0].at),
    now - HOUR_MS,
    ...peaks.map((peak) => peak.ms),
    ...states.map((state) => state.ms),
  );
  const to = ahead(forecast, as_of, now);
  const highest = Math.max(
    ...points.map((point) => point.noise),
    ...forecast.map((each) => each.high_90),
    ...peaks.map((peak) => peak.noise),
    20,
  );
  const plot = plane({
    width,
    height: narrow ? 260 : 330,
    left: 0,
    right: narrow ? 0 : MARGIN_PX,
    above: 36,
    below: 50,
    from,
    to,
    top: Math.min(100, highest * 1.12),
  });
  const curve = corners(withPeaks(points, peaks), half_life, now, plot);
  const line = curve.map(([ms, noise]) => [plot.x(ms), plot.y(noise)]);
  const last = curve.at(-1);
  const elements = [
    ...all
      .filter((band) => band.from > 0 && band.from < plot.top)
      .map((band) => guide(plot, band.from, `${band.name} ${band.from}`, !narrow)),
    svg("path", {
      class: "area",
      d: `${pathOf(line)}L${plot.x(last[0]).toFixed(1)} ${plot.floor}L${line[0][0].toFixed(1)} ${plot.floor}Z`,
    }),
    ...band(plot, forecast, as_of, last),
    svg("path", { class: "line", d: pathOf(line) }),
    ...strip(plot, states, now),
    ...peaks.flatMap((peak) => mark(plot, peak)),
    svg("line", { class: "present", x1: plot.x(now), x2: plot.x(now), y1: plot.ceiling - 18, y2: plot.floor }),
    svg(
      "text",
      {
        class: "present-name",
        x: plot.x(now) + (forecast.length ? -5 : -2),
        y: plot.ceiling - 20,
        "text-anchor": "end",
      },
      "now",
    ),
    ...(forecast.length && plot.end - plot.x(now) > 56
      ? [svg("text", { class: "present-name", x: plot.x(now) + 5, y: plot.ceiling - 20 }, "forecast")]
      : []),
    timeAxis({ ...plot, floor: plot.floor + 22 }),
  ];
  return {
    title: "Noise over time",
    summary: noiseSummary(points, last[1], peaks, forecast),
    elements,
    height: plot.height,
  };
}

/** The polarity over time: `points` [{at, polarity}], 0 one-sided to 100 evenly split, up to `now` (epoch ms). */
export function polarityDrawing({ points, now, shift }, width) {
  const narrow = width < NARROW_PX;
  const from = Math.min(Date.parse(points[0].at), now - HOUR_MS);
  const plot = plane({
    width,
    height: 170,
    left: 0,
    right: narrow ? 0 : MARGIN_PX,
    above: 16,
    below: 24,
    from,
    to: now,
    top: 100,
  });
  const steps = points.map((point) => [plot.x(Date.parse(point.at)), plot.y(point.polarity)]);
  steps.push([plot.x(now), steps.at(-1)[1]]);
  const latest = points.at(-1).polarity;
  const elements = [
    guide(plot, 100, "100 even split", !narrow),
    guide(plot, 50, "50", !narrow),
    guide(plot, 0, "0 one-sided", !narrow),
    svg("path", { class: "line polarity", d: pathOf(steps) }),
    svg("circle", { class: "line-end polarity", cx: plot.x(now) - 4, cy: plot.y(latest), r: 4 }),
    timeAxis(plot),
  ];
  const summary = `From ${points[0].polarity.toFixed(0)} on ${moment(from)} to ${latest.toFixed(0)} now, between 0 (one-sided) and 100 (evenly split): ${shift}.`;
  return { title: "Polarity over time", summary, elements, height: plot.height };
}

/** The same figures as rows, at most `most` of the past, evenly taken, then the forecast. */
export function noiseRows({ points, forecast, as_of }, most = 48) {
  const every = Math.max(1, Math.ceil(points.length / most));
  const past = points
    .filter((_, place) => (points.length - 1 - place) % every === 0)
    .map((point) => [moment(Date.parse(point.at)), String(shown(point.noise)), point.polarity.toFixed(0)]);
  const coming = forecast.map((each) => [
    `in ${each.hours} h (${moment(Date.parse(as_of) + each.hours * HOUR_MS)})`,
    `${shown(each.noise)}; half of cases ${shown(each.low_50)}–${shown(each.high_50)}, 90 % ${shown(each.low_90)}–${shown(each.high_90)}`,
    "",
  ]);
  return { columns: ["Time", "Noise", "Polarity"], rows: [...past, ...coming] };
}

/** The points, with those of the peaks, which lie between the last ones of two hours. */
function withPeaks(points, peaks) {
  const added = peaks.map(({ ms, noise }) => ({ at: new Date(ms).toISOString(), noise }));
  return [...points, ...added].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function ahead(forecast, as_of, now) {
  const last = forecast.at(-1);
  return last ? Math.max(now, Date.parse(as_of) + last.hours * HOUR_MS) : now;
}

/** The curve as corners [ms, noise]: from each point it falls by the half-life until the next one lifts it. */
function corners(points, half_life, now, plot) {
  const found = [];
  const step = ((plot.to - plot.from) / plot.across) * SAMPLE_PX;
  points.forEach((point, place) => {
    const start = Date.parse(point.at);
    const end = place + 1 < points.length ? Date.parse(points[place + 1].at) : Math.max(now, start);
    for (let ms = start; ms < end; ms += step) found.push([ms, fallen(point.noise, point.at, half_life, ms)]);
    found.push([end, fallen(point.noise, point.at, half_life, end)]);
  });
  return found;
}

function band(plot, forecast, as_of, [ms, noise]) {
  if (!forecast.length) return [];
  const start = Date.parse(as_of);
  const when = (each) => plot.x(start + each.hours * HOUR_MS);
  const later = forecast.filter((each) => when(each) > plot.x(ms));
  const origin = [plot.x(ms), plot.y(noise)];
  const between = (low, high) => {
    const over = later.map((each) => [when(each), plot.y(each[high])]);
    const under = later.map((each) => [when(each), plot.y(each[low])]).reverse();
    return `${pathOf([origin, ...over, ...under])}Z`;
  };
  return [
    svg("path", { class: "band-90", d: between("low_90", "high_90") }),
    svg("path", { class: "band-50", d: between("low_50", "high_50") }),
    svg("path", { class: "median", d: pathOf([origin, ...later.map((each) => [when(each), plot.y(each.noise)])]) }),
  ];
}

/** The states below the plot, each as long as it lasted, named where there is room. */
function strip(plot, states, now) {
  return states.flatMap(({ ms, state }, place) => {
    const start = Math.max(plot.left, plot.x(ms));
    const end = plot.x(Math.min(now, states[place + 1]?.ms ?? now));
    const width = end - start;
    if (width < 1) return [];
    const kind = `state-${state.toLowerCase().replaceAll(" ", "-")}`;
    const box = svg(
      "rect",
      { class: `state ${kind}`, x: start, y: plot.floor + 4, width, height: 15 },
      svg("title", {}, `${state} from ${moment(ms)}`),
    );
    const name = svg("text", { class: "state-name", x: start + 5, y: plot.floor + 15 }, state);
    return width > 7 * state.length + 8 ? [box, name] : [box];
  });
}

function mark(plot, peak) {
  const x = plot.x(peak.ms);
  const y = plot.y(peak.noise);
  if (!peak.final)
    return [
      svg(
        "circle",
        { class: "peak-step", cx: x, cy: y, r: 2.5 },
        svg("title", {}, `New peak ${shown(peak.noise)}, ${moment(peak.ms)}`),
      ),
    ];
  const right = x > plot.end - 70;
  return [
    svg("circle", { class: "peak", cx: x, cy: y, r: 4.5 }),
    svg(
      "text",
      { class: "peak-name", x: x + (right ? -8 : 8), y: y - 6, "text-anchor": right ? "end" : "start" },
      `Peak ${shown(peak.noise)}`,
    ),
  ];
}

function noiseSummary(points, noise, peaks, forecast) {
  const peak = peaks.find((each) => each.final);
  const day = forecast.at(-1);
  return [
    `From ${moment(Date.parse(points[0].at))} until now; now ${shown(noise)} of 100.`,
    peak ? `Peak ${shown(peak.noise)} on ${moment(peak.ms)}.` : "",
    day
      ? `In ${day.hours} hours ${shown(day.noise)} is expected, with 90 percent between ${shown(day.low_90)} and ${shown(day.high_90)}.`
      : "",
  ]
    .filter(Boolean)
    .join(" ");
}
