// How to cite an incident: a line with its noise and the day, to be copied.

import { fill, h, say } from "./dom.js";
import { incidentHref, shown } from "./text.js";

const american = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** A citation in `root`; `set(id, title, noise, ms)` keeps it as of now. */
export function citation(root) {
  const text = h("p", { class: "cite-text", id: "cite-text" });
  const button = h("button", { type: "button" }, "Copy citation");
  const done = h("span", { role: "status", class: "note" });
  fill(root, text, h("p", { class: "cite-copy" }, button, " ", done));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      say(done, "Copied.");
    } catch {
      // Where the browser does not allow it (an address without TLS), the reader copies what is marked.
      getSelection().selectAllChildren(text);
      say(done, "Marked: copy it with Ctrl+C.");
    }
  });

  function set(id, title, noise, ms) {
    say(
      text,
      `“${title.replace(/[.\s]+$/, "")}.” Decibel incident ${id}, noise ${shown(noise)}/100 as of ${american.format(ms)}. ${location.origin}${incidentHref(id)}`,
    );
  }

  return { set };
}
