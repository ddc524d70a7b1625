// Numbers and times as people read them.

import { element } from "./dom.js";

const whole = new Intl.NumberFormat("en");

/** A number with separators. */
export function number(value) {
  return whole.format(value ?? 0);
}

/** Bytes in a unit that fits. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = value ?? 0;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)}\u00a0${units[unit]}`;
}

/** Seconds as the largest units, two unless something else is said. */
export function duration(seconds, units = 2) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const words = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [unit, size] of parts) {
    if (rest >= size && words.length < units) {
      words.push(`${Math.floor(rest / size)}\u00a0${unit}`);
      rest %= size;
    } else if (words.length > 0) {
      break;
    }
  }
  return words.join(" ") || "0 s";
}

/** How long ago or ahead a time is, with the time itself to point at. `milliseconds` since 1970-01-01 UTC. */
export function moment(milliseconds) {
  if (milliseconds === undefined || milliseconds === null) return null;
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return String(milliseconds);
  const seconds = (Date.now() - milliseconds) / 1000;
  const text = Math.abs(seconds) < 1 ? "now" : seconds > 0 ? `${duration(seconds, 1)}\u00a0ago` : `in\u00a0${duration(-seconds, 1)}`;
  return element("time", { datetime: date.toISOString(), title: date.toLocaleString() }, text);
}

/** A time as it is. `milliseconds` since 1970-01-01 UTC. */
export function instant(milliseconds) {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : element("time", { datetime: date.toISOString() }, date.toLocaleString());
}

/** The time of day. */
export function clock(date) {
  return date.toLocaleTimeString([], { hour12: false });
}
