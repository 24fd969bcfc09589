// The sides of an incident: who criticises, who defends, who looks on; with the tier of their influence.

import { fill, h } from "./dom.js";
import { figureHref } from "./text.js";
import { tierLabel } from "./words.js";

const SIDES = [
  ["critic", "Critics"],
  ["defender", "Defenders"],
  ["neutral", "Neutral"],
];

/** Show the parties of a profile (or that there are none) in `root`. */
export function sides(root, profile) {
  const parties = profile?.parties ?? [];
  const groups = SIDES.map(([side, name]) => [
    name,
    side,
    parties.filter((party) => (party.side ?? "neutral") === side),
  ]);
  const present = groups.filter(([, , members]) => members.length);
  if (present.length === 0) return fill(root, h("p", { class: "note" }, "No party is named yet."));
  return fill(
    root,
    ...present.map(([name, side, members]) =>
      h("section", { class: `side side-${side}` }, h("h3", {}, name), h("ul", {}, members.map(party))),
    ),
  );
}

const party = ({ name, tier = "C", position }) =>
  h(
    "li",
    {},
    h("p", { class: "party" }, h("a", { href: figureHref(name) }, name), " ", tierLabel(tier)),
    position ? h("p", { class: "note" }, position) : null,
  );
