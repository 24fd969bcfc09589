// The page of a figure: the incidents it is a party to, the loudest first, with the side it takes in each.

import { ask, part } from "./api.js";
import { noiseAt, now } from "./curve.js";
import { byId, fill, h, say } from "./dom.js";
import { Live } from "./live.js";
import { connection, everySoOften, failed, recovered } from "./page.js";
import { counted, incidentHref, named, shown } from "./text.js";
import { tierLabel } from "./words.js";

const TICK_MS = 1000;
const MOST_FOLLOWED = 50; // incidents whose events are listened for

const asked = named(location.pathname, "/figure/");
const SIDES = { critic: "as a critic", defender: "as a defender", neutral: "as a bystander" };
let parts = [];
const scores = new Map(); // id -> the score heard last

async function load() {
  const found = await ask(`figures/${part(asked)}`);
  const { place } = await ask("pulse");
  recovered();
  byId("figure").hidden = false;
  say(byId("name"), found.name);
  document.title = `${found.name} · Decibel`;
  say(byId("facts"), `A party to ${counted(found.parts.length, "incident")}`);
  parts = found.parts;
  draw();
  return place;
}

const noiseOf = (each) => {
  const score = scores.get(each.incident_id);
  return score ? noiseAt(score, now()) : each.noise;
};

function draw() {
  const ordered = [...parts].sort((a, b) => (noiseOf(b) ?? -1) - (noiseOf(a) ?? -1));
  const told = ordered.map((each) => `${each.incident_id} ${Math.floor(noiseOf(each) ?? -1)}`).join("\n");
  if (told === drawn) return;
  drawn = told;
  fill(byId("incidents"), ...ordered.map(entry));
}

let drawn = "";

function entry(each) {
  const noise = noiseOf(each);
  return h(
    "li",
    { class: "part" },
    h("h3", {}, h("a", { href: incidentHref(each.incident_id) }, each.title)),
    h("p", { class: "part-noise" }, h("span", { class: "unseen" }, "Noise "), noise === null ? "–" : shown(noise)),
    h("p", { class: "note" }, SIDES[each.side], " ", tierLabel(each.tier), each.position ? ` ${each.position}` : null),
  );
}

function take(topic, event) {
  if (topic === "noise-scores") scores.set(event.incident_id, event);
}

async function start() {
  const place = await load();
  everySoOften(TICK_MS, draw);
  const filters = [["form", "brief"], ...parts.slice(0, MOST_FOLLOWED).map((each) => ["incident", each.incident_id])];
  if (parts.length)
    new Live(filters, { event: take, snapshot: () => load().catch(failed), state: connection }).start(place);
}

start().catch(failed);
