// SGR escape codes of an `ansi` fence, as Discord's desktop client shows them: reset, bold, underline, 8 + 8 colours.
import { h } from "./dom.js";

const SGR = /\u001b\[([0-9;]*)m/g;

/** Nodes for one block of text with escape codes; codes that Discord does not show are dropped. */
export function ansiNodes(text) {
  const nodes = [];
  let style = plain();
  let from = 0;
  for (const match of text.matchAll(SGR)) {
    push(nodes, text.slice(from, match.index), style);
    style = apply(style, match[1]);
    from = match.index + match[0].length;
  }
  push(nodes, text.slice(from), style);
  return nodes;
}

function plain() {
  return { bold: false, underline: false, front: null, back: null };
}

function apply(style, codes) {
  return codes.split(";").map(Number).reduce(applyOne, style);
}

function applyOne(style, code) {
  if (code === 0) return plain();
  if (code === 1) return { ...style, bold: true };
  if (code === 4) return { ...style, underline: true };
  if (code >= 30 && code <= 37) return { ...style, front: code };
  if (code >= 40 && code <= 47) return { ...style, back: code };
  return style;
}

function push(nodes, text, style) {
  if (!text) return;
  const names = [
    style.bold && "sgr-bold",
    style.underline && "sgr-underline",
    style.front && `sgr-${style.front}`,
    style.back && `sgr-${style.back}`,
  ].filter(Boolean);
  nodes.push(names.length ? h("span", { class: names.join(" ") }, text) : document.createTextNode(text));
}
