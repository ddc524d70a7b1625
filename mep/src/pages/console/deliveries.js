// Notifications on their way, and those that were given up.

import { discard, replay } from "./api.js";
import { ask, say } from "./dialog.js";
import { breakable, element, pill, second } from "./dom.js";
import { moment, number } from "./format.js";
import { listing } from "./listing.js";

/** `again()` reads again what is shown. */
export function deliveries(again) {
  const act = async (button, work, done) => {
    // A button that is disabled would lose the focus.
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      const { count } = await work();
      say(`${number(count)} ${count === 1 ? "notification" : "notifications"} ${done}.`);
    } catch (failure) {
      say(`That did not work: ${failure.message}.`);
    } finally {
      button.ariaBusy = "false";
      again();
    }
  };
  const replayAll = element("button", { type: "button", onclick: () => act(replayAll, () => replay(), "put back into the queue") }, "Replay all");
  const discardAll = element("button", { type: "button", class: "danger", onclick: async () => {
    if (await ask("Discard all dead letters? They cannot be brought back.", "Discard all")) act(discardAll, () => discard(), "discarded");
  } }, "Discard all");
  const queues = listing({
    heading: "Deliveries",
    level: "h1",
    empty: "No notification has been sent yet.",
    key: (item) => item.subscription,
    words: (item) => [item.subscription, item.appInstanceId, item.kind, address(item.target), item.lastError],
    columns: [
      { label: "Subscription", lead: true, cell: (item) => [item.kind ?? item.subscription, second([item.appInstanceId, item.subscriptionId].filter(Boolean).join(" · "))] },
      { label: "State", cell: state },
      { label: "Sent to", wide: true, cell: (item) => breakable(address(item.target)) },
      { label: "Waiting", number: true, cell: (item) => number(item.queued) },
      { label: "Delivered", number: true, restless: true, cell: (item) => number(item.delivered) },
      { label: "Last success", restless: true, cell: (item) => moment(item.lastSuccess) },
      { label: "Last failure", restless: true, cell: (item) => item.lastFailure && [moment(item.lastFailure), second(item.lastError ?? "")] },
      { label: "Next attempt", restless: true, cell: (item) => moment(item.nextAttempt) },
    ],
  });
  const letters = listing({
    heading: "Dead letters",
    empty: "No notification has been given up.",
    key: (item) => `${item.subscription}/${item.id}`,
    words: (item) => [item.id, item.subscription, item.notification, item.reason, address(item.target)],
    tools: [replayAll, discardAll],
    columns: [
      { label: "Notification", lead: true, cell: (item) => [item.notification, second(item.id)] },
      { label: "Reason", cell: (item) => [item.reason, second(`after ${number(item.attempts)} ${item.attempts === 1 ? "attempt" : "attempts"}`)] },
      { label: "Sent to", wide: true, cell: (item) => [breakable(address(item.target)), second(breakable(item.subscription))] },
      { label: "Given up", restless: true, cell: (item) => [moment(item.givenUp), second("happened ", moment(item.happened))] },
      { label: "Body", keep: true, cell: (item) => element("details", {}, element("summary", {}, "Show"), element("pre", { tabindex: "0" }, JSON.stringify(item.body, null, 2))) },
      { label: "Actions", keep: true, cell: (item) => buttons(item, act) },
    ],
  });
  const update = (values) => {
    queues.update(values.deliveries);
    letters.update(values.deadLetters);
  };
  return { root: element("div", {}, queues.root, letters.root), update, needs: ["deliveries", "deadLetters"] };
}

function buttons(letter, act) {
  const again = element("button", { type: "button", "aria-label": `Replay ${letter.notification} ${letter.id}`, onclick: () => act(again, () => replay(letter), "put back into the queue") }, "Replay");
  const away = element("button", { type: "button", class: "danger", "aria-label": `Discard ${letter.notification} ${letter.id}`, onclick: async () => {
    if (await ask("Discard this notification? It cannot be brought back.", "Discard")) act(away, () => discard(letter), "discarded");
  } }, "Discard");
  return element("div", { class: "actions" }, again, away);
}

function state({ queued, dead, failures }) {
  const states = [];
  if (dead > 0) states.push(pill(`${number(dead)} given up`, "bad"));
  if (failures > 0 && queued > 0) states.push(pill(`failing, ${number(failures)} ${failures === 1 ? "attempt" : "attempts"}`, "warn"));
  else if (queued > 0) states.push(pill("sending", "waiting"));
  return states.length > 0 ? element("span", { class: "pills" }, states) : pill("up to date", "good");
}

function address(target) {
  return target?.callback ?? (target?.webSocket ? "WebSocket" : null);
}
