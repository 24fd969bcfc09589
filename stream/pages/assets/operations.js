// Operations: whether what readers see is up to date, how much flows, what was turned away. Asked anew by itself.

import { ask } from "./api.js";
import { byId, fill, h, timeOf } from "./dom.js";
import { connection, everySoOften, failed, recovered } from "./page.js";
import { moment, whole } from "./text.js";

const ASK_MS = 5000;
const TOPICS = {
  "noise-scores": "Scores",
  "state-changes": "Changes of state",
  "trend-updates": "Changes of trend",
  "peak-crossings": "Peak crossings",
  "incident-merges": "Merges",
  "incident-profiles": "Profiles",
  "noise-index": "Index",
};

const known = (number) => (number === null || number === undefined ? "not known" : whole(number));
const seconds = (number) => (number === null || number === undefined ? "not known" : `${number.toFixed(2)} s`);

function tiles(facts) {
  return h(
    "dl",
    { class: "tiles" },
    facts.map(([name, value, kind]) =>
      h("div", { class: "tile" }, h("dt", {}, name), h("dd", { class: kind ?? null }, value)),
    ),
  );
}

function section(id, title, ...children) {
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), children);
}

function lag({ kafka, gateway }) {
  const kind = kafka.lag_records === null ? null : kafka.lag_records > 10_000 ? "bad" : "good";
  const table = kafka.partitions.length
    ? h(
        "table",
        {},
        h("caption", { class: "unseen" }, "Lag by partition"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Partition of source-items"),
            h("th", { scope: "col", class: "number" }, "Records that wait"),
          ),
        ),
        h(
          "tbody",
          {},
          kafka.partitions.map((each) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, each.partition),
              h("td", { class: "number" }, whole(each.lag_records)),
            ),
          ),
        ),
      )
    : null;
  return section(
    "lag",
    "Lag",
    tiles([
      ["Observations that wait to be scored", known(kafka.lag_records), kind],
      ["From the view to readers", seconds(gateway.read_lag_s)],
    ]),
    kafka.error ? h("p", { class: "note" }, `Kafka could not be asked: ${kafka.error}`) : null,
    table,
  );
}

function rates({ per_hour, counted_s }) {
  const rows = Object.entries(TOPICS).map(([topic, name]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { class: "number" }, whole(per_hour[topic] ?? 0)),
      h("td", { class: "number" }, ((per_hour[topic] ?? 0) / 3600).toFixed(1)),
    ),
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Events"),
    h("th", { scope: "col", class: "number" }, "An hour"),
    h("th", { scope: "col", class: "number" }, "A second"),
  );
  return section(
    "rates",
    "Rates",
    h("p", { class: "note" }, `Counted by this gateway over the last ${whole(counted_s)} seconds.`),
    h("table", {}, h("caption", { class: "unseen" }, "Events by topic"), h("thead", {}, head), h("tbody", {}, rows)),
  );
}

function letters({ kafka }) {
  const count = kafka.dead_letters;
  return section(
    "letters",
    "Dead letters",
    tiles([["Records turned away, and kept", known(count), count ? "bad" : null]]),
    h(
      "p",
      { class: "note" },
      "Each is kept with its bytes and the reason; `decibel dead-letters list` shows them, `requeue` sends them again.",
    ),
  );
}

function state({ view, gateway }) {
  const began = Date.parse(gateway.started_at);
  return section(
    "state",
    "View and gateway",
    tiles([
      ["Incidents", whole(view.incidents)],
      ["Events kept for those who reconnect", whole(view.live_entries)],
      ["Readers connected", whole(gateway.clients.sse + gateway.clients.websocket)],
      ["Events delivered", whole(gateway.delivered)],
      ["Readers cut off for being slow", whole(gateway.dropped), gateway.dropped ? "bad" : null],
      ["Generation of the view", known(view.generation)],
    ]),
    h(
      "p",
      { class: "note" },
      `Decibel ${gateway.version}; this gateway serves since `,
      timeOf(began, moment(began)),
      ".",
    ),
  );
}

async function refresh() {
  try {
    const told = await ask("operations");
    recovered();
    connection("live");
    fill(byId("operations"), lag(told), rates(told), letters(told), state(told));
  } catch (error) {
    connection("lost");
    if (!(error instanceof TypeError)) failed(error); // nobody answers: the head of the page says so
  }
}

async function start() {
  await refresh();
  everySoOften(ASK_MS, refresh);
}

start();
