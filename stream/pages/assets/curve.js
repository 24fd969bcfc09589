// A score is a curve: what the noise is at any moment, and what moment it is for the server.

let heardAt = -Infinity; // the latest time the server told, epoch ms
let heardWhen = 0; // performance.now() when it did

/** Note a time that the server told, in an answer or an event (RFC 3339); return it in epoch ms. */
export function hear(at) {
  const ms = Date.parse(at);
  if (Number.isFinite(ms) && ms >= now()) {
    heardAt = ms;
    heardWhen = performance.now();
  }
  return ms;
}

/**
 * The server's time, epoch ms: the latest that it told, going on from there.
 *
 * The reader's own clock is asked for nothing but how long ago that was, so it may be wrong. A recording or the demo
 * tells its own time, faster than ours, and each event brings it on.
 */
export function now() {
  return heardAt + (performance.now() - heardWhen);
}

/** Whether any time was told yet. */
export const started = () => heardAt > 0;

/** What is left of a composite at `ms` (epoch ms): 1 at the last new coverage, a half after `half_life` seconds. */
export function decay(score, ms) {
  const age_s = Math.max(0, (ms - Date.parse(score.anchor)) / 1000);
  return 2 ** -(age_s / score.half_life);
}

/** The noise (0 to 100) of a score at `ms`. */
export const noiseAt = (score, ms) => score.composite * decay(score, ms);

/** A value told at `at` (RFC 3339) that halves every `half_life` seconds: the index, a point of a history. */
export function fallen(value, at, half_life, ms) {
  return value * 2 ** -(Math.max(0, (ms - Date.parse(at)) / 1000) / half_life);
}

/** When (epoch ms) a score's curve will have fallen to `noise`, if nothing new comes; null if it is there already. */
export function fallsTo(score, noise) {
  if (!(noise > 0) || score.composite <= noise) return null;
  return Date.parse(score.anchor) + 1000 * score.half_life * Math.log2(score.composite / noise);
}
