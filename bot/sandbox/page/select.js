// The list that opens under a select component. It floats above the page, so an edit of the message cannot close it.
import { h, icon } from "./dom.js";

let closeOpen = () => {};

/** Opens under `anchor`; calls `onChoose(values)` once, with what a person has chosen. */
export function openSelect(anchor, { options, min = 1, max = 1, onChoose }) {
  closeOpen();
  const chosen = new Set(options.filter((one) => one.default).map((one) => one.value));
  const list = h("div", { class: "select-list", role: "listbox", "aria-multiselectable": String(max > 1), tabindex: "-1" });
  const rows = options.map((option) => optionRow(option, chosen));
  list.append(...rows);
  document.body.append(list);
  place(list, anchor);

  const close = (focus = true) => {
    list.remove();
    document.removeEventListener("pointerdown", outside, true);
    closeOpen = () => {};
    if (focus && anchor.isConnected) anchor.focus();
  };
  const finish = () => {
    close();
    if (chosen.size >= min) onChoose([...chosen]);
  };
  const toggle = (row) => {
    const { value } = row.dataset;
    if (max === 1) {
      chosen.clear();
      chosen.add(value);
      finish();
      return;
    }
    if (chosen.has(value)) chosen.delete(value);
    else if (chosen.size < max) chosen.add(value);
    for (const one of rows) one.setAttribute("aria-selected", String(chosen.has(one.dataset.value)));
  };
  function outside(event) {
    if (list.contains(event.target)) return;
    if (max > 1) finish();
    else close(false);
  }
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) toggle(row);
  });
  list.addEventListener("keydown", (event) => onKey(event, { rows, toggle, close, finish: max > 1 ? finish : close }));
  document.addEventListener("pointerdown", outside, true);
  closeOpen = () => close(false);
  (rows.find((row) => chosen.has(row.dataset.value)) ?? rows[0] ?? list).focus();
}

function onKey(event, { rows, toggle, close, finish }) {
  const at = rows.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) rows[(at + step + rows.length) % rows.length]?.focus();
  else if (event.key === "Enter" || event.key === " ") toggle(rows[at]);
  else if (event.key === "Escape") close();
  else if (event.key === "Tab") finish();
  else return;
  event.preventDefault();
}

function optionRow(option, chosen) {
  const props = { class: "select-option", role: "option", tabindex: "-1", dataset: { value: option.value } };
  const emoji = option.emoji?.name ? `${option.emoji.name} ` : "";
  const detail = option.description ? h("small", {}, option.description) : null;
  const text = h("span", {}, h("span", {}, emoji + option.label), detail);
  return h("div", { ...props, "aria-selected": String(chosen.has(option.value)) }, text, icon("chevron", 16));
}

/** Under the anchor when there is room, above it when not, never outside the window. */
function place(list, anchor) {
  const box = anchor.getBoundingClientRect();
  const height = Math.min(list.scrollHeight, 280);
  const below = innerHeight - box.bottom - 8;
  const top = below >= height ? box.bottom + 4 : Math.max(8, box.top - height - 4);
  const width = Math.min(Math.max(box.width, 220), innerWidth - 16);
  const left = Math.min(box.left, innerWidth - width - 8);
  const pixels = { top, left: Math.max(8, left), width, "max-height": height };
  for (const [name, value] of Object.entries(pixels)) list.style.setProperty(name, `${value}px`);
}
