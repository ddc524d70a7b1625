// What changes, as the platform tells it, and whether it still can.

import { EVENTS } from "./api.js";

const KINDS = ["application", "configuration", "life", "service", "subscription", "dnsRule", "trafficRule", "delivery", "deadLetter", "task"];
/** After how many milliseconds a stream that the platform has refused is asked for again. */
const AGAIN = 3000;

/**
 * Follows events as long as the page is looked at.
 *
 * `changed(event)` is called for each; `begun()` whenever the stream begins, again or not, so that everything shown has to be
 * read again; `lost()` when it breaks. A page that nobody looks at holds no stream: browsers allow six connections to one
 * platform, which a handful of forgotten tabs would use up.
 */
export function follow({ changed, begun, lost }) {
  let source;
  let timer;

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };

  const open = () => {
    if (document.hidden || source) return;
    source = new EventSource(EVENTS);
    source.addEventListener("ready", begun);
    source.addEventListener("reset", begun);
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => changed(JSON.parse(message.data)));
    }
    source.addEventListener("error", () => {
      lost();
      // The browser comes back by itself where the connection broke, but not where the answer was a refusal.
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      timer = setTimeout(open, AGAIN);
    });
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}
