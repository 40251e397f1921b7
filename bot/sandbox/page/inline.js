// Discord's inline markdown, to nodes. Every rule is anchored where the reader stands; what no rule takes is text.
import { displayName, h } from "./dom.js";
import { timeMark } from "./timestamps.js";

const SPECIAL = /[\\`*_~|[<@h]|🟢|🔴/g;

const RULES = [
  [/\\([^A-Za-z0-9\s])/y, (m) => m[1]],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, (m) => h("code", { class: "inline-code" }, m[2].trim() || m[2])],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, (m, names) => h("strong", {}, inlineNodes(m[1], names))],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, (m, names) => h("u", {}, inlineNodes(m[1], names))],
  [/\*(?![\s*])((?:\\[\s\S]|\*\*[^*]+\*\*|[^\\*])+?)\*(?!\*)/y, (m, names) => h("em", {}, inlineNodes(m[1], names))],
  [/(?<![A-Za-z0-9])_((?:\\[\s\S]|__[^_]+__|[^\\_])+?)_(?![A-Za-z0-9])/y, (m, names) => h("em", {}, inlineNodes(m[1], names))],
  [/~~((?:\\[\s\S]|[^\\])+?)~~(?!~)/y, (m, names) => h("s", {}, inlineNodes(m[1], names))],
  [/\|\|([\s\S]+?)\|\|/y, (m, names) => spoiler(inlineNodes(m[1], names))],
  [/\[((?:\\.|[^\]\\])+)\]\(<?(https?:\/\/[^\s)>]+)>?(?:\s+"([^"]*)")?\)/y, (m, names) => link(m[2], inlineNodes(m[1], names), m[3])],
  [/<(https?:\/\/[^\s>]+)>/y, (m) => link(m[1], m[1])],
  [/https?:\/\/[^\s<]*[^\s<.,:;"')\]|*~]/y, (m) => link(m[0], m[0])],
  [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (m) => timeMark(Number(m[1]), m[2])],
  [/<@!?(\d+)>/y, (m, names) => mention(`@${userName(m[1], names)}`)],
  [/<@&(\d+)>/y, () => mention("@role")],
  [/<#(\d+)>/y, (m, names) => channelMention(m[1], names)],
  [/<\/([-\w ]+):(\d+)>/y, (m) => mention(`/${m[1]}`, { action: "slash", text: `/${m[1]}` })],
  [/<a?:(\w+):\d+>/y, (m) => `:${m[1]}:`],
  [/@(?:everyone|here)\b/y, (m) => mention(m[0])],
  [/🟢|🔴/y, (m) => h("span", { class: m[0] === "🟢" ? "dot up" : "dot" }, m[0])], // pictures at Discord, on any machine
];

/** Nodes for one run of inline text; `names` resolves mentioned users and channels. */
export function inlineNodes(text, names) {
  const nodes = [];
  let from = 0;
  let at = nextSpecial(text, 0);
  while (at < text.length) {
    const hit = firstRule(text, at, names);
    if (hit) {
      if (at > from) nodes.push(text.slice(from, at));
      nodes.push(hit.node);
      from = hit.end;
    }
    at = nextSpecial(text, hit ? hit.end : at + 1);
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

function nextSpecial(text, from) {
  SPECIAL.lastIndex = from;
  return SPECIAL.exec(text)?.index ?? text.length;
}

function firstRule(text, at, names) {
  for (const [pattern, build] of RULES) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { node: build(match, names), end: at + match[0].length };
  }
  return null;
}

function link(url, label, title = null) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", title }, label);
}

function spoiler(children) {
  const props = { class: "spoiler", role: "button", tabindex: "0", "aria-expanded": "false", "aria-label": "Spoiler" };
  return h("span", { ...props, dataset: { action: "spoiler", keep: "" } }, h("span", {}, children));
}

function mention(text, dataset = null) {
  if (!dataset) return h("span", { class: "mention" }, text);
  return h("button", { class: "mention", type: "button", dataset }, text);
}

function channelMention(id, names) {
  const channel = names.channels.find((one) => one.id === id);
  if (!channel) return mention("# unknown");
  return mention(`# ${channel.name}`, { action: "channel", channel: id });
}

function userName(id, names) {
  const user = names.users.find((one) => one.id === id);
  return user ? displayName(user) : "unknown-user";
}
