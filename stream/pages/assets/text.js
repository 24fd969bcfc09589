// Words, numbers, dates and links as readers see them. Pure: nothing here touches the page.

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;

const day = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZone: "UTC",
});
const grouped = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** The noise (0 to 100) as it is shown: rounded down, so that no level is claimed before it is reached. */
export const shown = (noise) => Math.floor(noise);

/** A whole number with its thousands set apart. */
export const whole = (number) => grouped.format(number);

/** Points with their sign, and a real minus: what is added to or taken off a noise. */
export function points(number, digits = 1) {
  const text = Math.abs(number).toFixed(digits);
  if (Number(text) === 0) return text;
  return (number < 0 ? "−" : "+") + text;
}

/** `7 January 2026` of a time in epoch milliseconds. All times on the pages are UTC, as in the events. */
export const date = (ms) => day.format(ms);

/** `7 Jan` of a time in epoch milliseconds. */
export const briefDate = (ms) => shortDay.format(ms);

/** `14:05` of a time in epoch milliseconds. */
export const hour = (ms) => clock.format(ms);

/** `7 January 2026, 14:05 UTC` of a time in epoch milliseconds. */
export const moment = (ms) => `${date(ms)}, ${hour(ms)} UTC`;

/** A length of time (seconds) in the unit that suits it, rounded down: no more is claimed than is true. */
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < MINUTE_S) return `${Math.floor(s)} s`;
  if (s < HOUR_S) return `${Math.floor(s / MINUTE_S)} min`;
  if (s < 2 * DAY_S) return `${Math.floor(s / HOUR_S)} h`;
  return `${Math.floor(s / DAY_S)} days`;
}

/** `1 item`, `14 items`. */
export const counted = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;

/** What coverage was first, from `lead_time` of a score (seconds; null while mainstream media have nothing). */
export function lead(seconds) {
  if (seconds === null || seconds === undefined) return "Mainstream media do not have it yet";
  if (seconds === 0) return "Mainstream media had it first";
  if (seconds < MINUTE_S) return "Detected at the same time as in mainstream media";
  return `Detected ${span(seconds)} before mainstream media`;
}

/** The verdict of a score with the noise as it is now: the event's own is of the moment it was written. */
export const verdictNow = (verdict, noise) => verdict.replace(/noise \d+\/100/, `noise ${shown(noise)}/100`);

/** The first letter in upper case. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The address of an incident's page. */
export const incidentHref = (id) => `/incident/${encodeURIComponent(id)}`;

/** The address of a figure's page. */
export const figureHref = (name) => `/figure/${encodeURIComponent(name)}`;

/** What a path says after `prefix`; as it stands where its percent signs mean nothing. */
export function named(path, prefix) {
  const part = path.slice(prefix.length);
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address that `text` is, if it is one of the web and nothing else (no javascript:, data:, mailto:), else null. */
export function webHref(text) {
  if (!/^https?:\/\//i.test(text)) return null;
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
