// The first view: whether all is well, what there is, and what has just happened.

import { element, fill } from "./dom.js";
import { bytes, clock, duration, instant, number } from "./format.js";

const TILES = [
  ["services", "Services", "#services"],
  ["applications", "Applications", "#applications"],
  ["dnsRules", "DNS rules", "#rules"],
  ["trafficRules", "Traffic rules", "#rules"],
  ["subscriptions", "Subscriptions", "#subscriptions"],
  ["queued", "Notifications waiting", "#deliveries"],
  ["deadLetters", "Dead letters", "#deliveries"],
];
const NAMES = {
  application: "application", configuration: "configuration of", life: "life of", service: "service", subscription: "subscription",
  dnsRule: "DNS rule", trafficRule: "traffic rule", delivery: "notifications of", deadLetter: "dead letter", task: "task",
};
const VERBS = { ADDED: "added", CHANGED: "changed", REMOVED: "removed" };
/** How many events are remembered. */
const REMEMBERED = 30;

const recent = [];

/** Remembers an event for the list. */
export function remember(event) {
  recent.unshift({ event, when: new Date() });
  recent.length = Math.min(recent.length, REMEMBERED);
}

export function overview() {
  const attention = element("div");
  const tiles = element("ul", { class: "tiles" });
  const platform = element("dl");
  const store = element("dl");
  const events = element("ol", { class: "events", "aria-label": "Latest changes" });
  const quiet = element("p", { class: "empty" }, "Nothing has changed since this page was opened.");
  const root = element("div", {},
    element("h1", {}, "Overview"), attention, tiles,
    element("div", { class: "columns" },
      element("section", {}, element("h2", {}, "Platform"), platform, element("h2", {}, "Store"), store),
      element("section", {}, element("h2", {}, "Latest changes"), quiet, events)));

  const update = (values) => {
    quiet.hidden = recent.length > 0;
    events.hidden = recent.length === 0;
    fill(events, recent.map(line));
    if (!values.platform) return;
    fill(attention, notices(values));
    fill(tiles, TILES.map((tile) => element("li", {}, shape(tile, values.platform.counts))));
    fill(platform, facts(values));
    fill(store, figures(values.platform.store));
  };
  return { root, update, needs: ["dataPlane", "services", "applications"] };
}

function shape([name, label, target], counts) {
  const value = counts[name] ?? 0;
  const tone = name === "deadLetters" && value > 0 ? " bad" : "";
  return element("a", { class: `tile${tone}`, href: target }, element("strong", {}, number(value)), label);
}

function notices({ platform, dataPlane, services, applications }) {
  const found = [];
  if (!platform.healthy) found.push(["bad", `The platform takes no changes: ${platform.reason ?? "no reason is known"}.`]);
  const dead = platform.counts.deadLetters;
  if (dead > 0) found.push(["bad", [`${plural(dead, "notification was", "notifications were")} given up. `, element("a", { href: "#deliveries" }, "Show")]]);
  const suspended = (services?.items ?? []).filter(({ service }) => service?.state === "SUSPENDED").length;
  if (suspended > 0) found.push(["warn", [`${plural(suspended, "service is", "services are")} suspended. `, element("a", { href: "#services" }, "Show")]]);
  const ending = (applications?.items ?? []).filter(({ pending }) => pending).length;
  if (ending > 0) found.push(["warn", [`${plural(ending, "application is", "applications are")} about to end. `, element("a", { href: "#applications" }, "Show")]]);
  if (dataPlane && !dataPlane.available) found.push(["warn", `Traffic rules cannot be put in force: ${dataPlane.remarks.join("; ") || "there is no data plane"}.`]);
  if (found.length === 0) return [element("p", { class: "notice good" }, "All is well.")];
  return found.map(([tone, text]) => element("p", { class: tone === "bad" ? "notice bad" : "notice" }, text));
}

function plural(count, one, many) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function pairs(list) {
  return list.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
}

function facts({ platform, dataPlane }) {
  const listeners = platform.listeners.map(({ name, address }) => `${name} ${address}`).join(", ");
  return pairs([
    ["Version", platform.version],
    ["Running for", duration(platform.uptimeSeconds)],
    ["Started", instant(platform.started)],
    ["Listens on", listeners],
    ["Data plane", dataPlane ? `${dataPlane.backend}${dataPlane.available ? "" : ", not available"}` : null],
    ["Live clients", number(platform.eventClients)],
  ]);
}

function figures(store) {
  const wait = store.syncs > 0 ? `, ${(store.syncNanoseconds / store.syncs / 1e6).toFixed(2)} ms each` : "";
  return pairs([
    ["Revision", number(store.revision)],
    ["Entries", `${number(store.entries)}, ${bytes(store.bytes)}`],
    ["Commits", `${number(store.commits)}, ${number(store.conflicts)} conflicts`],
    ["Syncs", `${number(store.syncs)}${wait}`],
    ["Journal", `${bytes(store.journalBytes)}, ${number(store.snapshots)} snapshots`],
  ]);
}

function line({ event, when }) {
  const owner = event.appInstanceId && event.appInstanceId !== event.id ? ` of ${event.appInstanceId}` : "";
  const id = event.kind === "delivery" ? event.id.split("/").pop() : event.id;
  return element("li", {}, element("time", { datetime: when.toISOString() }, clock(when)),
    element("span", {}, `${NAMES[event.kind] ?? event.kind} ${id}${owner} ${VERBS[event.change] ?? event.change}`));
}
