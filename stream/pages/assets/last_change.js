// What moved an incident last: by what, by how many points, and what each factor had to do with it.

import { FACTORS } from "./bars.js";
import { fill, h, timeOf } from "./dom.js";
import { moment, points, webHref } from "./text.js";

const CAME_BY = {
  observation: "an observation",
  profile: "the editors' profile",
  deadline: "time alone",
  merge: "a merge with another incident",
};
const NOTICED = 0.05; // points that are shown as more than 0.0

/** Explain the change of a score in `root`; false for a score that tells none. */
export function lastChange(root, score) {
  const { change, last_item: item } = score;
  if (!change) return false;
  const at = Date.parse(score.as_of);
  const owed = Object.entries(change.factors)
    .filter(([, by]) => Math.abs(by) >= NOTICED)
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const most = Math.max(...owed.map(([, by]) => Math.abs(by)), 1);
  fill(
    root,
    h(
      "p",
      {},
      h("strong", { class: "moved-by" }, points(change.points, 2)),
      ` points by ${CAME_BY[change.by] ?? change.by}, `,
      timeOf(at, moment(at)),
      ".",
      freshness(change),
    ),
    owed.length
      ? h(
          "ul",
          { class: "owed" },
          owed.map(([name, by]) => share(name, by, most)),
        )
      : null,
    item
      ? h(
          "p",
          { class: "note" },
          "Last item: ",
          itemName(item.id),
          ` on ${item.platform}, which moved it by ${points(item.points, 2)} points.`,
        )
      : null,
  );
  return true;
}

const freshness = (change) =>
  Math.abs(change.freshness) < NOTICED
    ? null
    : ` Of these, ${points(change.freshness)} ${change.freshness > 0 ? "since coverage is fresh again" : "since the newest coverage is gone"}.`;

function share(name, by, most) {
  const bar = h("span", { class: `bar ${by < 0 ? "less" : "more"}`, "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.inlineSize = `${(100 * Math.abs(by)) / most}%`;
  return h("li", {}, h("span", {}, FACTORS[name]), h("span", { class: "number" }, points(by)), bar);
}

/** An item's id, which crawlers of the web often make its address. */
function itemName(id) {
  const href = webHref(id);
  return href ? h("a", { href, rel: "noopener noreferrer nofollow" }, id) : h("span", { class: "ident" }, id);
}
