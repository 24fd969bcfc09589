// The seven factors: value, weight, and the points each gives to the noise now.

import { fill, h } from "./dom.js";
import { shown } from "./text.js";

/** The factors as readers know them, in the order of the methodology. */
export const FACTORS = {
  reach: "Reach",
  engagement: "Engagement",
  star_power: "Star power",
  duration: "Duration",
  cross_platform: "Cross-platform",
  polarity: "Polarity",
  industry_impact: "Industry impact",
};

/** A table of the factors inside `root`; `set(score, decay, weights)` fills it. Points add up to the noise. */
export function bars(root) {
  const rows = Object.entries(FACTORS).map(([name, label]) => factor(name, label));
  const total = h("td", { class: "number" });
  const left = h("span", { class: "note" });
  const head = h(
    "thead",
    {},
    h("tr", {}, column("Factor"), column("0–100"), column("Weight", "wide"), column("Points")),
  );
  const foot = h(
    "tfoot",
    {},
    h("tr", {}, h("th", { scope: "row" }, "Noise", left), h("td"), h("td", { class: "wide" }), total),
  );
  const caption = h("caption", { class: "unseen" }, "The seven factors, and the points each gives to the noise");
  fill(
    root,
    h(
      "table",
      { class: "factors" },
      caption,
      head,
      h(
        "tbody",
        {},
        rows.map((row) => row.element),
      ),
      foot,
    ),
  );

  function set(score, decay, weights) {
    for (const row of rows) row.set(score.factors[row.name], weights[row.name], decay);
    left.textContent = `composite ${score.composite.toFixed(1)} × decay ${(100 * decay).toFixed(0)} %`;
    total.textContent = String(shown(score.composite * decay));
  }

  return { set };
}

const column = (text, kind = "") => h("th", { scope: "col", class: kind || null }, text);

function factor(name, label) {
  const bar = h("span", { class: "bar" }, h("span"));
  const value = h("td", { class: "number" });
  const weight = h("td", { class: "number wide" });
  const given = h("td", { class: "number points" });
  const element = h("tr", {}, h("th", { scope: "row" }, label, bar), value, weight, given);

  function set(amount, share, decay) {
    bar.firstChild.style.inlineSize = `${amount}%`;
    value.textContent = amount.toFixed(0);
    weight.textContent = `× ${share.toFixed(2)}`;
    given.textContent = (amount * share * decay).toFixed(1);
  }

  return { name, element, set };
}
