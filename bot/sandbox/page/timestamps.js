// Instants as Discord writes them, in the reader's own time zone and language.
import { h } from "./dom.js";

const formats = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const made = new Map();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

function formatter(style) {
  if (!made.has(style)) made.set(style, new Intl.DateTimeFormat(undefined, formats[style]));
  return made.get(style);
}

export function format(date, style) {
  return formatter(style).format(date);
}

export function relativeText(date, now = Date.now()) {
  const seconds = Math.round((date.getTime() - now) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return relative.format(Math.trunc(seconds / size), unit);
}

/** `<t:unix:style>`; relative ones are kept current by `refreshRelative`. */
export function timeMark(unix, style = "f") {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return document.createTextNode("Invalid date");
  const text = style === "R" ? relativeText(date) : format(date, style);
  const dataset = style === "R" ? { relative: unix } : {};
  return h("time", { class: "time-mark", datetime: date.toISOString(), title: format(date, "F"), dataset }, text);
}

export function refreshRelative(root = document) {
  for (const node of root.querySelectorAll("time[data-relative]")) {
    const text = relativeText(new Date(Number(node.dataset.relative) * 1000));
    if (node.textContent !== text) node.textContent = text;
  }
}

export function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

/** The stamp beside an author's name. */
export function stamp(date, now = new Date()) {
  const time = format(date, "t");
  if (sameDay(date, now)) return `Today at ${time}`;
  if (sameDay(date, new Date(now.getTime() - 86_400_000))) return `Yesterday at ${time}`;
  return `${format(date, "d")} ${time}`;
}
