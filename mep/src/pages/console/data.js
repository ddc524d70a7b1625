// What is shown: read when it is needed, and again when it has changed.

import { list, read } from "./api.js";

/** Every resource: where it is, which events concern it, and how often it is read again anyway, in milliseconds. */
const RESOURCES = {
  platform: { read: () => read("platform"), kinds: "all", poll: 5000 },
  dataPlane: { read: () => read("data-plane"), kinds: [], poll: 30000 },
  applications: { read: () => list("applications"), kinds: ["application", "configuration", "life", "service", "dnsRule", "trafficRule"] },
  services: { read: () => list("services"), kinds: ["service"] },
  subscriptions: { read: () => list("subscriptions"), kinds: ["subscription"] },
  dnsRules: { read: () => list("dns-rules"), kinds: ["dnsRule"] },
  // Counters grow without a change that would be told.
  trafficRules: { read: () => list("traffic-rules"), kinds: ["trafficRule"], poll: 5000 },
  // So do failed attempts.
  deliveries: { read: () => list("deliveries"), kinds: ["delivery", "deadLetter", "subscription"], poll: 3000 },
  deadLetters: { read: () => list("dead-letters"), kinds: ["deadLetter", "subscription"] },
};
/** How long is waited after a change for others, in milliseconds. */
const PAUSE = 200;

/** The resources, read on behalf of whoever looks. `shown()` is called after each read, `failed(error)` if one fails. */
export class Data {
  constructor({ shown, failed }) {
    this.values = {};
    this.shown = shown;
    this.failed = failed;
    this.wanted = new Set();
    this.stale = new Set();
    this.reading = new Set();
    this.read = new Map();
    this.timer = undefined;
    setInterval(() => this.poll(), 1000);
    document.addEventListener("visibilitychange", () => this.poll());
  }

  /** Says what is shown from now on. */
  want(names) {
    this.wanted = new Set(["platform", ...names]);
    for (const name of this.wanted) this.stale.add(name);
    this.refresh();
  }

  /** Everything may have changed. */
  invalidate() {
    for (const name of Object.keys(RESOURCES)) this.stale.add(name);
    this.refresh();
  }

  /** An event has come. */
  changed(kind) {
    for (const [name, { kinds }] of Object.entries(RESOURCES)) {
      if (kinds === "all" || kinds.includes(kind)) this.stale.add(name);
    }
    this.timer ??= setTimeout(() => this.refresh(), PAUSE);
  }

  poll() {
    if (document.hidden) return;
    for (const name of this.wanted) {
      const { poll } = RESOURCES[name];
      if (poll && Date.now() - (this.read.get(name) ?? 0) >= poll) this.stale.add(name);
    }
    this.refresh();
  }

  refresh() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (document.hidden) return;
    for (const name of this.wanted) {
      if (this.stale.has(name) && !this.reading.has(name)) this.load(name);
    }
  }

  async load(name) {
    this.stale.delete(name);
    this.reading.add(name);
    try {
      this.values[name] = await RESOURCES[name].read();
      this.read.set(name, Date.now());
      this.reading.delete(name);
      this.shown();
    } catch (error) {
      // It is still not what it should be; a second later it is asked for again.
      this.stale.add(name);
      this.reading.delete(name);
      this.failed(error);
      return;
    }
    if (this.stale.has(name)) this.timer ??= setTimeout(() => this.refresh(), PAUSE);
  }
}
