// The forecast in words: what is expected in an hour, six, a day; and what the editors expect.

import { fill, h } from "./dom.js";
import { shown } from "./text.js";

/** Show the forecast of a score and the words of its profile in `root`. */
export function outlook(root, score, profile) {
  const rows = (score.forecast ?? []).map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, `in ${each.hours} h`),
      h("td", { class: "number strong" }, shown(each.noise)),
      h("td", { class: "number" }, `${shown(each.low_50)} – ${shown(each.high_50)}`),
      h("td", { class: "number" }, `${shown(each.low_90)} – ${shown(each.high_90)}`),
    ),
  );
  const head = ["", "Noise", "50 % of cases", "90 % of cases"].map((name) =>
    name ? h("th", { scope: "col", class: "number" }, name) : h("td"),
  );
  fill(
    root,
    rows.length
      ? h(
          "table",
          { class: "outlook" },
          h("caption", { class: "unseen" }, "Noise to be expected"),
          h("thead", {}, h("tr", {}, head)),
          h("tbody", {}, rows),
        )
      : h("p", { class: "note" }, "No forecast yet."),
    profile?.forecast ? [h("h3", {}, "What editors expect"), h("p", {}, profile.forecast)] : null,
    h("p", { class: "note" }, "Computed from what is known now; events may go another way."),
  );
}
