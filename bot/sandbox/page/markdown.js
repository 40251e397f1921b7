// Discord's block markdown: fences, headings, subtext, quotes, lists. Untrusted text in, nodes out.
import { ansiNodes } from "./ansi.js";
import { h } from "./dom.js";
import { inlineNodes } from "./inline.js";

const FENCE = /```(?:([a-z0-9_+\-.#]+)\n)?\n*([^\n][\s\S]*?)\n*```/gi;
const HEADING = /^(#{1,3})\s+(.+)$/;
const SUBTEXT = /^-#\s+(.+)$/;
const ITEM = /^(\s*)([-*]|\d+\.)\s+(.+)$/;
const QUOTE = /^> ?(.*)$/;

/** Nodes for a whole message text or embed description. */
export function markdownNodes(text, names) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FENCE)) {
    nodes.push(...blockNodes(text.slice(from, match.index).replace(/\n$/, ""), names));
    nodes.push(fence(match[1]?.toLowerCase() ?? "", match[2]));
    from = match.index + match[0].length;
  }
  nodes.push(...blockNodes(text.slice(from).replace(/^\n/, ""), names));
  return nodes;
}

function fence(language, body) {
  const children = language === "ansi" ? ansiNodes(body) : language === "diff" ? diffNodes(body) : [body];
  const code = h("code", { class: language ? `language-${language}` : null }, children);
  return h("div", { class: "fence" }, h("pre", {}, code));
}

function diffNodes(body) {
  return body.split(/(?<=\n)/).map((line) => {
    const kind = line.startsWith("+") ? "sgr-32" : line.startsWith("-") ? "sgr-31" : null;
    return kind ? h("span", { class: kind }, line) : line;
  });
}

function blockNodes(text, names) {
  if (!text) return [];
  const lines = text.split("\n");
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const taken = takeBlock(lines, at, names) ?? takeText(lines, at, names);
    nodes.push(...taken.nodes);
    at = taken.next;
  }
  return nodes;
}

function takeBlock(lines, at, names) {
  const line = lines[at];
  if (line.startsWith(">>> ")) return takeRest(lines, at, names);
  if (QUOTE.test(line) && line.startsWith("> ")) return takeQuote(lines, at, names);
  if (ITEM.test(line)) return takeList(lines, at, names);
  const heading = HEADING.exec(line);
  if (heading) return one(h(`h${heading[1].length}`, { class: "md-heading" }, inlineNodes(heading[2], names)), at);
  const small = SUBTEXT.exec(line);
  if (small) return one(h("small", { class: "subtext" }, inlineNodes(small[1], names)), at);
  return null;
}

function one(node, at) {
  return { nodes: [node], next: at + 1 };
}

function takeText(lines, at, names) {
  let next = at + 1;
  while (next < lines.length && !takesBlock(lines[next])) next += 1;
  const nodes = inlineNodes(lines.slice(at, next).join("\n"), names);
  return { nodes: [h("span", { class: "text" }, nodes)], next };
}

function takesBlock(line) {
  return HEADING.test(line) || SUBTEXT.test(line) || ITEM.test(line) || line.startsWith("> ") || line.startsWith(">>> ");
}

function takeRest(lines, at, names) {
  const text = [lines[at].slice(4), ...lines.slice(at + 1)].join("\n");
  return { nodes: [h("blockquote", {}, blockNodes(text, names))], next: lines.length };
}

function takeQuote(lines, at, names) {
  let next = at;
  while (next < lines.length && lines[next].startsWith("> ")) next += 1;
  const text = lines.slice(at, next).map((line) => QUOTE.exec(line)[1]).join("\n");
  return { nodes: [h("blockquote", {}, blockNodes(text, names))], next };
}

function takeList(lines, at, names) {
  let next = at;
  const items = [];
  while (next < lines.length && ITEM.test(lines[next])) {
    const [, indent, mark, text] = ITEM.exec(lines[next]);
    items.push({ depth: indent.length, mark, text });
    next += 1;
  }
  return { nodes: nestedLists(items, names), next };
}

function nestedLists(items, names) {
  const nodes = [];
  let at = 0;
  while (at < items.length) {
    const { mark } = items[at];
    const list = h(isOrdered(mark) ? "ol" : "ul", { start: isOrdered(mark) ? String(parseInt(mark, 10)) : null });
    at = fillList(list, items, at, names);
    nodes.push(list);
  }
  return nodes;
}

function isOrdered(mark) {
  return /\d/.test(mark);
}

function fillList(list, items, from, names) {
  const { depth, mark } = items[from];
  let at = from;
  while (at < items.length && isOrdered(items[at].mark) === isOrdered(mark) && items[at].depth >= depth) {
    const item = h("li", {}, inlineNodes(items[at].text, names));
    const inner = items.slice(at + 1).findIndex((one) => one.depth <= depth);
    const end = inner < 0 ? items.length : at + 1 + inner;
    item.append(...nestedLists(items.slice(at + 1, end), names));
    list.append(item);
    at = end;
  }
  return at;
}
