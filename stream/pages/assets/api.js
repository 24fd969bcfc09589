// What the gateway answers, asked for as it is documented in /openapi.json.

import { hear } from "./curve.js";

/** The gateway said no: `status`, and its own words. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The body of an answer to GET `path` below /api/v1. Raises Refused, and TypeError where nobody answers. */
export async function ask(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  const answer = await fetch(`/api/v1/${path}${search}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Refused(answer.status, await detail(answer));
  const body = await answer.json();
  if (body.at) hear(body.at);
  return body;
}

/** A part of a path, whatever it holds. */
export const part = encodeURIComponent;

async function detail(answer) {
  try {
    return (await answer.json()).detail ?? answer.statusText;
  } catch {
    return answer.statusText; // not an answer of the gateway: a proxy's page
  }
}
