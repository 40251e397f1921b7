// The message list of one channel: keeps elements by message id, patches the one that changed, and stays at the bottom
// only for a reader who is at the bottom.
import { h } from "./dom.js";
import { isEphemeral, messageNode } from "./message.js";
import { morph } from "./morph.js";
import { format, sameDay } from "./timestamps.js";

const GROUP_MS = 7 * 60_000;
const AT_BOTTOM_PX = 24;

/** `view()` says who looks and which names are known: `{names, me}`. */
export function createTimeline({ scroller, list, jump, view }) {
  const rows = new Map();
  let pinned = true;
  let top = 0;

  const toBottom = () => {
    scroller.scrollTop = scroller.scrollHeight;
    top = scroller.scrollTop;
  };
  const settle = () => {
    if (pinned) toBottom();
    jump.hidden = pinned;
  };
  // Content that grows also fires `scroll`; only a move upwards by hand lets go of the bottom.
  scroller.addEventListener("scroll", () => {
    const gap = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    if (gap <= AT_BOTTOM_PX) pinned = true;
    else if (scroller.scrollTop < top - 1) pinned = false;
    top = scroller.scrollTop;
    jump.hidden = pinned;
  }, { passive: true });
  jump.addEventListener("click", () => {
    pinned = true;
    settle();
  });
  const sizes = new ResizeObserver(settle);
  sizes.observe(scroller);
  sizes.observe(list);

  const build = (message, starts) => messageNode(message, { starts, ...view() });

  function patch(message) {
    const row = rows.get(message.id);
    if (!row || row.message === message) return;
    row.message = message;
    morph(row.node, build(message, row.starts));
    settle();
  }

  function sync(messages) {
    const wanted = new Set();
    let previous = null;
    let cursor = list.firstChild;
    for (const message of messages) {
      const node = placed(message, previous);
      wanted.add(message.id);
      if (cursor === node) cursor = cursor.nextSibling;
      else list.insertBefore(node, cursor);
      previous = message;
    }
    for (const [id, row] of rows) if (!wanted.has(id)) drop(id, row);
    settle();
  }

  function placed(message, previous) {
    const starts = startsGroup(message, previous);
    const day = startsDay(message, previous) ? dayLabel(message) : null;
    const row = rows.get(message.id) ?? addRow(message);
    if (row.day !== day) setDay(row, day);
    if (row.message !== message || row.starts !== starts) {
      Object.assign(row, { message, starts, node: morphed(row, build(message, starts)) });
    }
    return row.box;
  }

  function morphed(row, fresh) {
    if (row.node) return morph(row.node, fresh);
    row.box.append(fresh);
    return fresh;
  }

  function addRow(message) {
    const row = { box: h("div", { class: "row" }), node: null, day: null, message: null, starts: null };
    rows.set(message.id, row);
    return row;
  }

  function drop(id, row) {
    row.box.remove();
    rows.delete(id);
  }

  function clear() {
    for (const [id, row] of rows) drop(id, row);
    pinned = true;
  }

  return { sync, patch, clear, toBottom: () => { pinned = true; settle(); } };
}

function setDay(row, day) {
  if (row.day) row.box.firstChild.remove();
  if (day) row.box.prepend(h("div", { class: "day", role: "separator" }, h("span", {}, day)));
  row.day = day;
}

function dayLabel(message) {
  return format(new Date(message.timestamp), "D");
}

function startsDay(message, previous) {
  return !previous || !sameDay(new Date(message.timestamp), new Date(previous.timestamp));
}

function startsGroup(message, previous) {
  if (!previous || startsDay(message, previous) || message.interaction_metadata?.name) return true;
  if (previous.author.id !== message.author.id || isEphemeral(previous) !== isEphemeral(message)) return true;
  return new Date(message.timestamp) - new Date(previous.timestamp) > GROUP_MS;
}
