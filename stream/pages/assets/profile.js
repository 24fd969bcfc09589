// What the editors say of an incident: why it matters, key points, summary. Plain text, in paragraphs.

import { fill, h, timeOf } from "./dom.js";
import { date } from "./text.js";

/** Show the words of a profile in `root`; false where there are none. */
export function profileWords(root, profile) {
  const { why_it_matters: why, key_points: points, summary, updated_at: updated } = profile ?? {};
  if (!why && !summary && !points?.length) return false;
  const at = updated ? Date.parse(updated) : null;
  fill(
    root,
    paragraphs(why, "why"),
    points?.length
      ? [
          h("h3", {}, "Key points"),
          h(
            "ul",
            { class: "points-list" },
            points.map((point) => h("li", {}, point)),
          ),
        ]
      : null,
    summary ? [h("h3", {}, "Summary"), ...paragraphs(summary)] : null,
    h(
      "p",
      { class: "note" },
      "Written by editors; the figures beside it are measured.",
      at ? [" Updated ", timeOf(at, date(at)), "."] : null,
    ),
  );
  return true;
}

const paragraphs = (text, kind = null) =>
  (text ?? "")
    .split(/\n\s*\n/)
    .filter(Boolean)
    .map((each) => h("p", { class: kind }, each));
