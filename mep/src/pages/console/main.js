// Puts the views together: which one is shown, what it needs, and whether the platform can be reached.

import { Data } from "./data.js";
import { deliveries } from "./deliveries.js";
import { say } from "./dialog.js";
import { fill } from "./dom.js";
import { applications, services, subscriptions } from "./lists.js";
import { follow } from "./live.js";
import { overview, remember } from "./overview.js";
import { rules } from "./rules.js";

const VIEWS = { overview, services, applications, rules, subscriptions, deliveries: () => deliveries(() => data.invalidate()) };
const place = document.getElementById("view");
const connection = document.getElementById("connection");
const version = document.getElementById("version");
const made = {};
let current;
/** Whether the stream of events is open, whether the last read was answered, and with a refusal. */
const state = { live: false, answered: true, refused: false, begun: false };

const data = new Data({
  shown: () => {
    reached({ answered: true, refused: false });
    const platform = data.values.platform;
    if (platform) fill(version, platform.version);
    current?.update(data.values);
  },
  failed: (failure) => {
    // A refusal is said once, not every second.
    if (failure.reached && !state.refused) say(`Something could not be read: ${failure.message}.`);
    reached({ answered: failure.reached === true, refused: failure.reached === true });
  },
});

function reached(news) {
  Object.assign(state, news);
  const well = state.live && state.answered;
  const lost = !well && state.begun;
  connection.className = `pill ${well ? "good" : lost ? "bad" : "waiting"}`;
  fill(connection, well ? "live" : lost ? "connection lost, trying again" : "connecting");
  document.body.classList.toggle("lost", lost);
}

function show() {
  const name = Object.hasOwn(VIEWS, location.hash.slice(1)) ? location.hash.slice(1) : "overview";
  made[name] ??= VIEWS[name]();
  const changed = current !== undefined && current !== made[name];
  current = made[name];
  place.replaceChildren(current.root);
  current.update(data.values);
  data.want(current.needs);
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#${name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) document.title = `${link.textContent} · MEC platform`;
  }
  if (!changed) return;
  window.scrollTo(0, 0);
  place.focus({ preventScroll: true });
}

window.addEventListener("hashchange", () => {
  if (location.hash !== "#view") show();
});
show();
follow({
  begun: () => {
    reached({ live: true, begun: true });
    data.invalidate();
  },
  lost: () => reached({ live: false, begun: true }),
  changed: (event) => {
    remember(event);
    data.changed(event.kind);
    if (current === made.overview) current.update(data.values);
  },
});
