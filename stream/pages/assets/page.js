// What every page has: whether it is live, what time it is for the server, and what is said aloud.

import { now, started } from "./curve.js";
import { byId, fill, h, say } from "./dom.js";
import { moment, sentence } from "./text.js";

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  still: "As the policy has it now",
  lost: "Connection lost. Trying again; the figures go on by themselves.",
};
const QUIET_MS = 10_000; // between two things said: a reader of the page must be able to read it

/** Show a word of the connection: connecting, live, lost. */
export function connection(word) {
  const shown = byId("connection");
  shown.dataset.state = word;
  say(shown, WORDS[word]);
}

/** Do `step` about every `ms`, while the page is seen, and keep the time at the head of the page right. */
export function everySoOften(ms, step) {
  let last = 0;
  const tick = (time) => {
    if (time - last >= ms) {
      last = time;
      step();
      if (started()) {
        const at = byId("as-of");
        at.setAttribute("datetime", new Date(now()).toISOString());
        say(at, moment(now()));
      }
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

let saidWhen = -QUIET_MS;

/** Say a change to who hears the page; of many at once only one now and then: the list holds them all. */
export function announce(text) {
  const when = performance.now();
  if (when - saidWhen < QUIET_MS) return;
  saidWhen = when;
  say(byId("said"), text);
}

/** Show that the page cannot be filled, and why. */
export function failed(error) {
  const box = byId("failure");
  box.hidden = false;
  if (error.status === 404)
    fill(
      box,
      h("h1", {}, "Nothing is known of it"),
      h("p", {}, sentence(error.message), ". ", h("a", { href: "/" }, "Back to the board")),
    );
  else say(box, `The figures cannot be loaded: ${error.message}`);
}

/** Take that back. */
export function recovered() {
  byId("failure").hidden = true;
}
