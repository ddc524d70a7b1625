// The operator's API of the platform that serves this page.

const BASE = new URL("../administration/v1/", document.baseURI);
const PATIENCE = 8000;
/** The most items of a list that are read. */
export const MOST = 1000;

/** A refusal or failure, in words. */
export class Failure extends Error {
  constructor(message, reached) {
    super(message);
    /** Whether the platform has answered at all. */
    this.reached = reached;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, BASE), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch {
    throw new Failure("the platform does not answer", false);
  }
  const text = await response.text().catch(() => "");
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (!response.ok) throw new Failure(body?.detail ?? `the platform answered ${response.status}`, true);
  return body;
}

/** One resource. */
export function read(path) {
  return ask(path);
}

/** The first items of a list, and whether there are more. */
export async function list(path) {
  const page = await ask(`${path}?limit=${MOST}`);
  return { items: page?.items ?? [], more: page?.next !== undefined };
}

/** Replays what was given up: everything, or one notification. */
export function replay(letter) {
  const path = letter ? `${place(letter)}/replay` : "dead-letters/replay";
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
}

/** Forgets what was given up: everything, or one notification. */
export function discard(letter) {
  return ask(letter ? place(letter) : "dead-letters", { method: "DELETE" });
}

function place(letter) {
  return `dead-letters/${encodeURIComponent(letter.subscription)}/${encodeURIComponent(letter.id)}`;
}

/** Where events come from. */
export const EVENTS = new URL("events", BASE);
