// Titles of incidents by id, learnt from profiles as they pass by; one that nobody told is asked for, once.

import { ask, part } from "./api.js";

const MOST_ASKED = 4; // at a time
const AGAIN_MS = 10_000; // until one that was not found, or could not be asked for, may be asked for again
const known = new Map();
const asked = new Set();
const queue = [];
let asking = 0;

/** Note the title that a profile (or nothing) gives an incident. */
export function learn(id, profile) {
  if (profile?.title) known.set(id, profile.title);
}

/** The title of an incident; its id where it has none, or none yet: then `told` is called when that has changed. */
export function titleOf(id, told = null) {
  if (told !== null && !known.has(id) && !asked.has(id)) {
    asked.add(id);
    queue.push([id, told]);
    pump();
  }
  return known.get(id) ?? id;
}

async function pump() {
  while (queue.length && asking < MOST_ASKED) {
    const [id, told] = queue.shift();
    asking += 1;
    ask(`incidents/${part(id)}`)
      .then(
        (found) => learn(id, found.profile),
        () => setTimeout(() => asked.delete(id), AGAIN_MS),
      )
      .finally(() => {
        asking -= 1;
        told();
        pump();
      });
  }
}
