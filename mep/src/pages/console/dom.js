// Elements without markup: whatever the platform tells is text, never HTML.

/** An element with attributes and children. Texts become text nodes; `null`, `undefined` and `false` are left out. */
export function element(name, attributes = {}, ...children) {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) created.addEventListener(key.slice(2), value);
    else if (value === true) created.setAttribute(key, "");
    else if (value !== false && value != null) created.setAttribute(key, value);
  }
  append(created, children);
  return created;
}

function append(parent, children) {
  parent.append(...nodes(children));
}

/** Elements and texts, whatever lists they came in. */
function nodes(children) {
  const present = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  return present.map((child) => (child instanceof Node ? child : document.createTextNode(visible(String(child)))));
}

/** A long name without spaces, which may be broken where its parts meet and not in the middle of a word. */
export function breakable(text) {
  if (text === null || text === undefined) return null;
  const parts = String(text).split(/(?<=[/_?&])(?![/_?&])/);
  return parts.flatMap((part, index) => (index === 0 ? [part] : [document.createElement("wbr"), part]));
}

/** A text in which nothing hides: characters that turn text around or are not seen are named instead. */
function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `‹U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** Makes the children of a place those that are given, touching only those that differ. */
export function fill(place, ...children) {
  const wanted = nodes(children);
  const same = place.childNodes.length === wanted.length && wanted.every((node, index) => node.isEqualNode(place.childNodes[index]));
  if (!same) place.replaceChildren(...wanted);
  return !same;
}

/**
 * A table that is told its rows again and again. Rows are known by a key, so that what has the focus or is unfolded
 * stays so; rows that have changed since the last time are marked for a moment.
 *
 * A column is `{label, cell(item), lead?, number?, wide?, restless?, keep?}`. `cell` gives text, nodes or a list of them; with `keep` it
 * is asked once for each row, for cells that have buttons or can be unfolded; `restless` cells change all the time and are not
 * marked.
 */
export function table(caption, columns, key) {
  const head = element("tr", { role: "row" }, columns.map((column) =>
    element("th", { scope: "col", role: "columnheader", class: column.number ? "number" : null }, column.label)));
  const body = element("tbody", { role: "rowgroup" });
  const root = element("table", { "aria-label": caption, role: "table", tabindex: "-1", hidden: true }, element("thead", { role: "rowgroup" }, head), body);
  const rows = new Map();
  let first = true;

  const create = (item) => {
    const cells = columns.map(() => element("div"));
    const frames = columns.map((column, index) => element("td", {
      role: "cell", "data-label": column.label, class: ["lead", "number", "wide"].filter((name) => column[name]).join(" ") || null,
    }, cells[index]));
    columns.forEach((column, index) => column.keep && fill(cells[index], column.cell(item)));
    return { cells, line: element("tr", { role: "row" }, frames) };
  };

  // Rows that are gone go first, so that those that stay need not be moved: what is moved loses the focus.
  const drop = (items) => {
    const present = new Set(items.map(key));
    for (const [name, row] of rows) {
      if (present.has(name)) continue;
      row.line.remove();
      rows.delete(name);
    }
  };

  const update = (items) => {
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    drop(items);
    items.forEach((item, place) => {
      const name = key(item);
      const row = rows.get(name) ?? create(item);
      rows.set(name, row);
      let changed = false;
      columns.forEach((column, index) => {
        if (column.keep) return;
        if (fill(row.cells[index], column.cell(item)) && !column.restless) changed = true;
        row.cells[index].parentNode.classList.toggle("none", row.cells[index].childNodes.length === 0);
      });
      if (body.children[place] !== row.line) body.insertBefore(row.line, body.children[place] ?? null);
      if (changed && !first) flash(row.line);
    });
    root.hidden = items.length === 0;
    first = false;
    // Who works with the keyboard goes on where that was, or in this table, or in the view: not at the top of the page.
    if (!focused || document.activeElement === focused) return;
    const next = focused.isConnected ? focused : root.hidden ? document.getElementById("view") : root;
    next.focus({ preventScroll: true });
  };
  return { root, update };
}

function flash(line) {
  line.classList.remove("changed");
  // Reading the size makes the animation begin anew.
  void line.offsetWidth;
  line.classList.add("changed");
  line.addEventListener("animationend", () => line.classList.remove("changed"), { once: true });
}

/** A word in a coloured frame. */
export function pill(text, tone = "") {
  return element("span", { class: `pill ${tone}`.trim() }, text);
}

/** A line below a cell's first one. */
export function second(...children) {
  return element("span", { class: "second" }, ...children);
}
