// Services, applications and subscriptions.

import { breakable, element, pill, second } from "./dom.js";
import { moment, number } from "./format.js";
import { listing } from "./listing.js";

const STATES = { ACTIVE: "good", INACTIVE: "", SUSPENDED: "bad" };

export function services() {
  const view = listing({
    heading: "Services",
    level: "h1",
    empty: "No application offers a service.",
    key: (item) => `${item.appInstanceId}/${item.serInstanceId}`,
    words: (item) => [item.appInstanceId, item.serInstanceId, item.service?.serName, item.service?.state, item.service?.serCategory?.name, ...endpoints(item.service)],
    columns: [
      { label: "Service", lead: true, cell: ({ service, serInstanceId }) => [service?.serName ?? "unnamed", second(`${service?.version ?? ""} · ${serInstanceId}`)] },
      { label: "State", cell: ({ service }) => (service?.state ? pill(service.state, STATES[service.state] ?? "") : null) },
      { label: "Application", cell: (item) => item.appInstanceId },
      { label: "Category", cell: ({ service }) => service?.serCategory?.name },
      { label: "Transport", wide: true, cell: ({ service }) => transport(service) },
      { label: "Liveness", cell: ({ service }) => (service?.livenessInterval ? `every ${service.livenessInterval}\u00a0s` : null) },
    ],
  });
  return { root: view.root, update: (values) => view.update(values.services), needs: ["services"] };
}

function transport(service) {
  const info = service?.transportInfo;
  if (!info) return null;
  const serializer = service.serializer ? `, ${service.serializer}` : "";
  return [`${info.type ?? info.protocol ?? ""}${serializer}`, ...endpoints(service).map((endpoint) => second(breakable(endpoint)))];
}

function endpoints(service) {
  const endpoint = service?.transportInfo?.endpoint;
  const addresses = (endpoint?.addresses ?? []).map(({ host, port }) => `${host}:${port}`);
  const alternative = endpoint?.alternative === undefined ? [] : [JSON.stringify(endpoint.alternative)];
  return [...(endpoint?.uris ?? []), ...(endpoint?.fqdn ?? []), ...addresses, ...alternative];
}

export function applications() {
  const view = listing({
    heading: "Applications",
    level: "h1",
    empty: "There is no application instance.",
    key: (item) => item.appInstanceId,
    words: (item) => [item.appInstanceId, item.appName],
    columns: [
      { label: "Application", lead: true, cell: (item) => [item.appName ?? item.appInstanceId, item.appName && second(item.appInstanceId)] },
      { label: "Known from", cell: (item) => element("span", { class: "pills" }, item.registered && pill("registered"), item.configured && pill("configured"), item.declared && pill("declared")) },
      { label: "Life", restless: true, cell: life },
      { label: "Services", number: true, cell: (item) => number(item.services) },
      { label: "DNS rules", number: true, cell: (item) => number(item.dnsRules) },
      { label: "Traffic rules", number: true, cell: (item) => number(item.trafficRules) },
    ],
  });
  return { root: view.root, update: (values) => view.update(values.applications), needs: ["applications"] };
}

function life({ ready, pending }) {
  const state = ready ? pill("ready", "good") : pill("not confirmed");
  if (!pending) return state;
  const words = pending.action === "STOPPING" ? "stops" : "terminates";
  return [pill(words, "warn"), " ", moment(pending.deadline), second(pending.deadline > Date.now() ? "or when it confirms" : "is overdue")];
}

export function subscriptions() {
  const view = listing({
    heading: "Subscriptions",
    level: "h1",
    empty: "Nobody has subscribed to anything.",
    key: (item) => item.key,
    words: (item) => [item.kind, item.appInstanceId, item.subscriptionId, callback(item)],
    columns: [
      { label: "Subscription", lead: true, cell: (item) => [item.kind, second(item.subscriptionId)] },
      { label: "Application", cell: (item) => item.appInstanceId },
      { label: "Sent to", wide: true, cell: (item) => breakable(callback(item)) },
      { label: "Criteria", cell: criteria },
    ],
  });
  return { root: view.root, update: (values) => view.update(values.subscriptions), needs: ["subscriptions"] };
}

/** What the application has asked for: it is kept as it came. */
function asked({ subscription }) {
  return subscription?.request ?? subscription ?? {};
}

function callback(item) {
  const target = item.subscription?.target;
  return target?.callback ?? asked(item).callbackReference ?? asked(item).callbackUri ?? (target?.webSocket ? "WebSocket" : null);
}

function criteria(item) {
  const found = asked(item).filteringCriteria;
  return found && Object.keys(found).length > 0 ? element("code", {}, JSON.stringify(found)) : "everything";
}
