// The methodology, as the policy that runs has it.

import { ask } from "./api.js";
import { byId, fill, h, say } from "./dom.js";
import { connection, failed } from "./page.js";

const slug = (title) => `about-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;

function section({ title, words, columns, rows }) {
  const heading = h("h2", { id: slug(title) }, title);
  return h(
    "section",
    { "aria-labelledby": slug(title) },
    heading,
    words.map((each) => h("p", {}, each)),
    rows.length ? table(title, columns, rows) : null,
  );
}

function table(title, columns, rows) {
  const head = h(
    "tr",
    {},
    columns.map((each) => h("th", { scope: "col" }, each)),
  );
  const body = rows.map(([first, ...rest]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, first),
      rest.map((each) => h("td", {}, each)),
    ),
  );
  // What scrolls must be reachable by keyboard.
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${title}` },
    h("table", {}, h("thead", {}, head), h("tbody", {}, body)),
  );
}

async function start() {
  const { sections, policy } = await ask("methodology");
  const { version, weights, curve } = policy;
  say(
    byId("source"),
    `Rendered from the policy that runs here, version ${version}: ${Object.keys(weights).length} factors, and a noise that halves every ${curve.half_life_h / 24} days without new coverage.`,
  );
  fill(byId("contents"), ...sections.map(({ title }) => h("a", { href: `#${slug(title)}` }, title)));
  fill(byId("sections"), ...sections.map(section));
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  connection("still");
}

start().catch(failed);
