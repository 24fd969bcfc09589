// The page of one incident: loads it, keeps it up to date, and counts its noise down between events.

import { ask, part } from "./api.js";
import { bars } from "./bars.js";
import { chart, noiseDrawing, noiseRows, polarityDrawing } from "./chart.js";
import { citation } from "./citation.js";
import { decay, noiseAt, now } from "./curve.js";
import { byId, fill, h, say, timeOf } from "./dom.js";
import { gauge } from "./gauge.js";
import { lastChange } from "./last_change.js";
import { bandOf, bands } from "./levels.js";
import { Live } from "./live.js";
import { outlook } from "./outlook.js";
import { announce, connection, everySoOften, failed, recovered } from "./page.js";
import { profileWords } from "./profile.js";
import { sides } from "./sides.js";
import { incidentHref, moment, named, shown, span, verdictNow } from "./text.js";
import { timeline } from "./timeline.js";
import { vitals } from "./vitals.js";
import { stateLabel } from "./words.js";

const TICK_MS = 1000;
const EXPLAIN_MS = 3000; // from a score until its explanation is asked for
const HOUR_MS = 3_600_000; // one point of the history for each, as the view keeps them

const asked = named(location.pathname, "/incident/");
let id = asked;
let score = null;
let profile = null;
let rank = null;
let points = [];
let all = [];
let weights = {};
let told = null; // what the gateway explains of the score
let parts = null; // what the page is made of, once there is something to show
let stale = true; // whether a score, profile or change came since the last drawing

async function load() {
  const found = await ask(`incidents/${part(asked)}`);
  const past = await ask(`incidents/${part(found.incident_id)}/history`);
  recovered();
  id = found.incident_id;
  rank = found.rank;
  told = found.explain;
  if (score === null || score.incident_id !== id || found.score.revision >= score.revision) score = found.score;
  profile = found.profile ?? profile;
  points = past.points.map(({ at, noise, polarity }) => ({ at, noise, polarity }));
  if (points.length === 0) points = [pointOf(score)];
  parts ??= make();
  for (const { topic, event } of found.changes.toReversed()) parts.timeline.note(topic, event);
  if (id !== asked) {
    const note = byId("merged");
    note.hidden = false;
    say(note, `${asked} was merged into this incident: its items count here.`);
    history.replaceState(null, "", incidentHref(id));
  }
  stale = true;
  tick();
  return found.place;
}

function make() {
  byId("incident").hidden = false;
  const made = {
    gauge: gauge(byId("gauge"), all),
    bars: bars(byId("factors")),
    vitals: vitals(byId("vitals")),
    timeline: timeline(byId("timeline"), byId("earlier")),
    citation: citation(byId("citation")),
  };
  made.noise = chart(
    byId("noise-chart"),
    (width) => noiseDrawing(picture(made), width),
    () => noiseRows(picture(made)),
  );
  made.polarity = chart(
    byId("polarity-chart"),
    (width) => polarityDrawing(picture(made), width),
    () => noiseRows(picture(made)),
  );
  return made;
}

/** What the charts are drawn from. */
function picture(made) {
  const states = made.timeline.states();
  const final = { ms: Date.parse(score.peak.at), noise: score.peak.noise, final: true };
  const peaks = made.timeline.peaks().filter((peak) => peak.ms !== final.ms);
  return {
    points,
    half_life: score.half_life,
    now: now(),
    forecast: score.forecast ?? [],
    as_of: score.as_of,
    states: states.length ? states : [{ ms: Date.parse(score.first_seen), state: score.state }],
    peaks: [...peaks.map((peak) => ({ ...peak, final: false })), final],
    all,
    shift: score.polarity.shift,
  };
}

function tick() {
  if (parts === null) return;
  const at = now();
  const noise = noiseAt(score, at);
  parts.gauge.set(noise, bandOf(noise, all));
  parts.bars.set(score, decay(score, at), weights);
  if (stale) draw();
  parts.vitals.tick(at, all);
  const verdict = byId("verdict");
  say(verdict.firstChild ?? verdict.appendChild(h("span")), verdictNow(score.verdict, noise));
  const title = profile?.title || id;
  parts.citation.set(id, title, noise, at);
  document.title = `${shown(noise)} · ${title} · Decibel`;
  if (stale || Math.floor(at / 60_000) !== drawnMinute) {
    drawnMinute = Math.floor(at / 60_000);
    parts.noise.redraw();
    parts.polarity.redraw();
  }
  stale = false;
}

let drawnMinute = null;

/** All that changes with an event alone. */
function draw() {
  fill(byId("kicker"), stateLabel(score.state), " ", score.category);
  say(byId("title"), profile?.title || id);
  fill(
    byId("facts"),
    "Incident ",
    h("span", { class: "ident" }, id),
    rank === null ? null : ` · number ${rank} on the `,
    rank === null ? " · see the " : null,
    h("a", { href: "/" }, "board"),
    " · last change ",
    timeOf(Date.parse(score.as_of), moment(Date.parse(score.as_of))),
  );
  say(byId("half-life"), span(score.half_life));
  parts.vitals.set(score);
  fill(
    byId("explained"),
    told.story.map((line) => h("p", {}, line)),
  );
  byId("moved").hidden = !lastChange(byId("last-change"), score);
  byId("profile").hidden = !profileWords(byId("words"), profile);
  sides(byId("sides"), profile);
  say(byId("shift"), score.polarity.shift);
  outlook(byId("forecast"), score, profile);
  say(
    byId("noise-note"),
    "Each rise is new coverage; between them the noise halves by itself. Shaded: where half and 90 % of cases like it went.",
  );
  if (score.merged_into) {
    const note = byId("merged");
    note.hidden = false;
    fill(
      note,
      "Merged into ",
      h("a", { href: incidentHref(score.merged_into) }, score.merged_into),
      ": its items count there.",
    );
  }
  parts.timeline.show();
}

const pointOf = ({ as_of: at, noise, polarity }) => ({ at, noise, polarity: polarity.value });

let explaining = null;

/** Ask for the explanation of the score that has come; of many that come at once, for the last one's. */
function explainSoon() {
  explaining ??= setTimeout(async () => {
    explaining = null;
    try {
      told = await ask(`incidents/${part(id)}/explain`);
      stale = true;
    } catch (error) {
      if (!(error instanceof TypeError)) failed(error); // nobody answers: the head of the page says so
    }
  }, EXPLAIN_MS);
}

function take(topic, event) {
  if (topic === "noise-scores") return takeScore(event);
  if (topic === "incident-profiles" && event.incident_id === id) profile = event;
  else if (parts !== null && topic !== "noise-index") {
    for (const each of parts.timeline.note(topic, event)) {
      if (each.kind === "state" || each.kind === "peak") announce(each.text);
    }
  }
  stale = true;
}

function takeScore(next) {
  if (next.incident_id !== id || next.revision <= score.revision) return;
  score = next;
  explainSoon();
  const cell = (point) => Math.floor(Date.parse(point.at) / HOUR_MS);
  const point = pointOf(next);
  if (points.length && cell(points.at(-1)) === cell(point)) points[points.length - 1] = point;
  else points.push(point);
  stale = true;
}

async function start() {
  const reload = () => load().catch(failed);
  const { policy } = await ask("methodology");
  all = bands(policy.levels);
  weights = policy.weights;
  const place = await load();
  everySoOften(TICK_MS, tick);
  new Live({ incident: id }, { event: take, snapshot: reload, state: connection }).start(place);
}

start().catch(failed);
