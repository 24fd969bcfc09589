// The board: the loudest incidents now, the index, and what changed.

import { ask } from "./api.js";
import { hear, noiseAt, now } from "./curve.js";
import { byId, say } from "./dom.js";
import { feed } from "./feed.js";
import { indexBox } from "./index.js";
import { bands } from "./levels.js";
import { Live } from "./live.js";
import { reorder } from "./moving.js";
import { announce, connection, everySoOften, failed, recovered } from "./page.js";
import { row } from "./row.js";
import { SPARK_SAMPLES, Trail } from "./spark.js";
import { whole } from "./text.js";
import { learn, titleOf } from "./titles.js";

const PAGE = 25; // incidents shown at first, and added by a press of the button
const MOST_ASKED = 200; // ... and the most that one answer gives
const SHOW_MS = 400; // between two pictures of the board: numbers that change faster cannot be read
const CHANGES_ASKED = 60; // what happened last; some of it is not told on the board
const ASIDE_MS = 60_000; // how often it is asked anew what moved the index: its events say only how high it is
const RECHECK_MS = 5000; // after an incident has left, until it is asked who comes up from below

const entries = new Map(); // id -> {id, score, trail}
const rows = new Map(); // id -> its row
const list = byId("leaderboard");
const more = byId("more");
const filters = byId("filters");
const changes = feed(byId("changes"));
const index = indexBox(byId("index"), byId("categories"));
let size = PAGE;
let cursor = null;
let all = [];
let total = null;
let recheck = null;
let loading = 0;

const chosen = () => ({ category: filters.category.value, state: filters.state.value });
const suits = (score) =>
  !score.merged_into &&
  (!filters.category.value || score.category === filters.category.value) &&
  (!filters.state.value || score.state === filters.state.value);

/** Take an incident of an answer; what the stream has told of it meanwhile stands. */
function put({ incident_id: id, score, profile, spark }, at, before = entries.get(id)) {
  learn(id, profile);
  const trail = new Trail(spark ?? [], Date.parse(at));
  const newer = before !== undefined && before.score.revision > score.revision;
  if (newer) trail.note(Date.parse(before.score.as_of), before.score.noise);
  entries.set(id, { id, score: newer ? before.score : score, trail });
}

/** The next `count` incidents as chosen, after a cursor; an answer may hold fewer and yet not be the last. */
async function next(count, after) {
  const first = await ask("incidents", {
    ...chosen(),
    limit: Math.min(count, MOST_ASKED),
    cursor: after,
    spark: SPARK_SAMPLES,
  });
  const found = { ...first };
  while (found.cursor !== null && found.incidents.length < count) {
    const limit = Math.min(count - found.incidents.length, MOST_ASKED);
    const more = await ask("incidents", { ...chosen(), limit, cursor: found.cursor, spark: SPARK_SAMPLES });
    found.incidents = [...found.incidents, ...more.incidents];
    found.cursor = more.cursor;
  }
  return found;
}

async function load() {
  const mine = (loading += 1);
  try {
    const answer = await next(size, null);
    if (mine !== loading) return; // another choice was made meanwhile
    const before = new Map(entries);
    entries.clear();
    for (const each of answer.incidents) put(each, answer.at, before.get(each.incident_id));
    // What came up while the answer was made is in the stream alone.
    for (const [id, entry] of before) {
      if (!entries.has(id) && Date.parse(entry.score.as_of) >= Date.parse(answer.at)) entries.set(id, entry);
    }
    cursor = answer.cursor;
    recovered();
    show();
    return answer.place;
  } catch (error) {
    failed(error);
    return null;
  }
}

async function loadMore() {
  more.disabled = true;
  try {
    const answer = await next(PAGE, cursor);
    for (const each of answer.incidents) put(each, answer.at);
    cursor = answer.cursor;
    size += answer.incidents.length;
    show();
  } catch (error) {
    failed(error);
  } finally {
    more.disabled = false;
  }
}

async function loadAside() {
  const [told, stood, pulse] = await Promise.all([
    ask("changes", { limit: CHANGES_ASKED }),
    ask("index"),
    ask("pulse"),
  ]);
  for (const { topic, event } of told.changes.toReversed()) changes.note(topic, event);
  for (const each of stood.categories) index.put(each);
  total = pulse.incidents;
}

function ranked() {
  const at = now();
  return [...entries.values()]
    .filter(({ score }) => suits(score))
    .map((entry) => ({ entry, loud: noiseAt(entry.score, at) }))
    .sort((a, b) => b.loud - a.loud || (a.entry.id < b.entry.id ? -1 : 1))
    .map(({ entry }) => entry);
}

function show() {
  const at = now();
  const order = ranked();
  const shown = order.slice(0, size);
  for (const { id } of order.slice(size)) entries.delete(id);
  shown.forEach((entry, place) => {
    if (!rows.has(entry.id)) rows.set(entry.id, row(entry.id));
    rows.get(entry.id).set(place + 1, { ...entry, title: titleOf(entry.id) }, at, all);
  });
  reorder(
    list,
    shown.map(({ id }) => rows.get(id).element),
  );
  for (const id of rows.keys()) if (!entries.has(id)) rows.delete(id);
  const beyond = cursor !== null;
  more.hidden = !beyond;
  const filtered = filters.category.value || filters.state.value;
  const of = !filtered && beyond && total !== null && total > shown.length ? ` of ${whole(total)}` : "";
  say(
    byId("count"),
    shown.length === 0
      ? "No incident fits."
      : `${whole(shown.length)}${of} ${shown.length === 1 && !of ? "incident" : "incidents"}, the loudest first`,
  );
  index.show(at);
  changes.show();
}

/** A score of an incident that is not on the page: does it belong there? */
function enters(score) {
  if (!suits(score) || score.merged_into) return false;
  if (entries.size < size) return true;
  const least = Math.min(...[...entries.values()].map((entry) => noiseAt(entry.score, now())));
  return noiseAt(score, now()) > least;
}

function take(topic, event) {
  if (topic === "noise-scores") return takeScore(event);
  if (topic === "incident-profiles") return learn(event.incident_id, event);
  if (topic === "noise-index") return index.note(event);
  for (const each of changes.note(topic, event)) {
    if (each.kind === "state") announce(`${titleOf(each.id)}: ${each.text}`);
  }
}

function takeScore(score) {
  const entry = entries.get(score.incident_id);
  if (!entry) {
    if (!enters(score)) return;
    entries.set(score.incident_id, { id: score.incident_id, score, trail: new Trail([], 0) });
    titleOf(score.incident_id, show);
    entries.get(score.incident_id).trail.note(hear(score.as_of), score.noise);
    return;
  }
  if (score.revision <= entry.score.revision) return;
  const at = now();
  const falls = cursor !== null && noiseAt(score, at) < noiseAt(entry.score, at) - 0.01;
  entry.score = score;
  entry.trail.note(Date.parse(score.as_of), score.noise);
  // Whoever falls or leaves may let another one up that was never shown.
  if ((falls || !suits(score)) && recheck === null) {
    recheck = setTimeout(() => {
      recheck = null;
      load();
    }, RECHECK_MS);
  }
}

function readFilters() {
  const query = new URLSearchParams(location.search);
  for (const name of ["category", "state"]) {
    const wanted = query.get(name) ?? "";
    if ([...filters[name].options].some((option) => option.value === wanted)) filters[name].value = wanted;
  }
}

function writeFilters() {
  const query = new URLSearchParams(Object.entries(chosen()).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

async function start() {
  readFilters();
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("change", () => {
    writeFilters();
    size = PAGE;
    load().then(() => announce(byId("count").textContent));
  });
  more.addEventListener("click", loadMore);
  all = bands((await ask("methodology")).policy.levels);
  const place = await load();
  if (place === null) throw new Error("the board cannot be asked for; load the page again");
  everySoOften(SHOW_MS, show);
  await loadAside();
  show();
  const reload = () => Promise.all([load(), loadAside()]).catch(failed);
  new Live({ form: "brief" }, { event: take, snapshot: reload, state: connection }).start(place);
  setInterval(() => loadAside().catch(failed), ASIDE_MS);
}

start().catch(failed);
