// The list above the composer: a heading and rows, one of them active, moved by keys and picked by click, tap or key.
import { h } from "./dom.js";

/** `popup` is the listbox; `setActive(id)` tells the focused input which row is active. */
export function createSuggest(popup, setActive) {
  let items = [];
  let active = -1;
  let moved = false;

  popup.addEventListener("pointerdown", (event) => event.preventDefault());
  popup.addEventListener("click", (event) => {
    const row = event.target.closest("[data-index]");
    if (row) items[Number(row.dataset.index)].onPick();
  });

  function show(heading, rows, { start = 0, note = null } = {}) {
    items = rows;
    moved = false;
    const nodes = rows.map((row, index) => rowNode(row, index));
    const foot = note ? h("p", { class: "suggest-note" }, note) : null;
    popup.replaceChildren(h("p", { class: "suggest-head" }, heading), ...nodes, ...(foot ? [foot] : []));
    popup.hidden = false;
    popup.scrollTop = 0;
    activate(rows.length ? start : -1);
  }

  function activate(index) {
    active = index;
    popup.querySelectorAll("[data-index]").forEach((row, at) => {
      row.setAttribute("aria-selected", String(at === index));
      if (at === index && moved) row.scrollIntoView({ block: "nearest" });
    });
    setActive(index < 0 ? null : `suggest-${index}`, !popup.hidden);
  }

  return {
    show,
    hide() {
      popup.hidden = true;
      items = [];
      moved = false;
      activate(-1);
    },
    move(step) {
      if (!items.length) return;
      moved = true;
      const from = active < 0 && step < 0 ? 0 : active;
      activate((from + step + items.length) % items.length);
    },
    get open() {
      return !popup.hidden;
    },
    /** The row that Enter would take, or null. */
    get current() {
      return popup.hidden ? null : (items[active] ?? null);
    },
    /** Whether a person moved to that row by hand. */
    get chosen() {
      return moved;
    },
  };
}

function rowNode({ title, chips = [], detail, side, lead }, index) {
  const props = { class: "suggest-row", role: "option", id: `suggest-${index}`, dataset: { index }, "aria-selected": "false" };
  const head = h("span", { class: "suggest-title" }, title, chips.map((chip) => h("span", { class: "chip" }, chip)));
  const text = h("span", { class: "suggest-text" }, head, detail ? h("span", { class: "suggest-detail" }, detail) : null);
  return h("div", props, lead ?? null, text, side ? h("span", { class: "suggest-side" }, side) : null);
}
