// A list with a field to search in it.

import { MOST } from "./api.js";
import { element, fill, table } from "./dom.js";
import { number } from "./format.js";

/**
 * A section: heading, search field, table.
 *
 * `words(item)` gives the texts in which is searched; `tools` are shown beside the field. `update(page)` takes what has been
 * read, or nothing if that has not happened yet.
 */
export function listing({ heading, level = "h2", columns, key, words, empty, tools = [] }) {
  const rows = table(heading, columns, key);
  const none = element("p", { class: "empty", hidden: true });
  const count = element("span", { class: "count", role: "status" });
  const field = element("input", { type: "search", "aria-label": `Search in ${heading}`, placeholder: "Search", autocomplete: "off", spellcheck: "false" });
  const bar = element("div", { class: "tools" }, field, tools, count);
  const more = element("p", { class: "notice", hidden: true }, `Only the first ${number(MOST)} are shown.`);
  const root = element("section", {}, element(level, {}, heading), bar, more, rows.root, none);
  let page;

  const update = (latest = page) => {
    page = latest;
    const wanted = field.value.trim().toLowerCase();
    const all = page?.items ?? [];
    const items = wanted === "" ? all : all.filter((item) => words(item).some((word) => String(word ?? "").toLowerCase().includes(wanted)));
    if (page) rows.update(items);
    bar.hidden = all.length === 0 && wanted === "";
    more.hidden = !page?.more;
    none.hidden = items.length > 0;
    fill(none, page === undefined ? "Loading" : all.length === 0 ? empty : `Nothing has “${field.value.trim()}” in it.`);
    fill(count, items.length === all.length ? `${number(all.length)} in all` : `${number(items.length)} of ${number(all.length)}`);
  };
  field.addEventListener("input", () => update());
  return { root, update };
}
