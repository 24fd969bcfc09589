// What changed, over all incidents: states, peaks and trends, the latest first.

import { identity, incidentOf, told } from "./changes.js";
import { h, fill, timeOf } from "./dom.js";
import { hour, incidentHref, briefDate } from "./text.js";
import { titleOf } from "./titles.js";

const MOST = 10;
const QUIET = new Set(["rise", "fall"]); // levels that were crossed: the board shows them

/** A list in `root`; `note(topic, event)` takes a change, `show()` draws what is new. */
export function feed(root) {
  const seen = new Set();
  let entries = [];
  let stale = true;

  function note(topic, event) {
    const ident = identity(topic, event);
    if (seen.has(ident)) return [];
    seen.add(ident);
    const found = told(topic, event)
      .filter((each) => !QUIET.has(each.kind))
      .map((each) => ({ ...each, id: incidentOf(topic, event), ms: Date.parse(event.at) }));
    if (found.length === 0) return [];
    entries = [...found, ...entries].sort((a, b) => b.ms - a.ms).slice(0, MOST);
    if (seen.size > 20_000) seen.clear(); // repeats come within seconds, not after thousands of others
    stale = true;
    return found;
  }

  function show() {
    if (!stale) return;
    stale = false;
    fill(root, ...entries.map(entry));
  }

  function entry({ id, ms, kind, text, why }) {
    const title = titleOf(id, () => (stale = true));
    return h(
      "li",
      { class: `change change-${kind}` },
      timeOf(ms, `${briefDate(ms)}, ${hour(ms)}`),
      h(
        "p",
        {},
        h("strong", {}, text),
        h("span", { class: "unseen" }, ": "),
        h("a", { href: incidentHref(id), title: why || null }, title),
      ),
    );
  }

  return { note, show, empty: () => entries.length === 0 };
}
