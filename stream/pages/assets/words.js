// The words of states, trends and tiers, with the marks that go with them. A mark is never alone: the word stands by it.

import { h } from "./dom.js";

const ARROWS = { Surging: "↑", Rising: "↗", "Holding steady": "→", Cooling: "↘", Fading: "↓" };

/** A state as a label. */
export const stateLabel = (state) =>
  h("span", { class: `state-label state-${state.toLowerCase().replaceAll(" ", "-")}` }, state);

/** A trend as an arrow and its word. */
export function trendLabel(trend) {
  const arrow = h("span", { class: "arrow", "aria-hidden": "true" }, ARROWS[trend] ?? "→");
  return h("span", { class: `trend trend-${trend.toLowerCase().replaceAll(" ", "-")}` }, arrow, ` ${trend}`);
}

/** A tier as a letter in a box, said in full. */
export const tierLabel = (tier) =>
  h("span", { class: "tier", title: `Tier ${tier}` }, h("span", { class: "unseen" }, "tier "), tier);
