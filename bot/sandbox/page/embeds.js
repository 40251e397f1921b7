// Embeds: colour bar, author, title, description, field grid, picture, footer.
import { h } from "./dom.js";
import { inlineNodes } from "./inline.js";
import { markdownNodes } from "./markdown.js";
import { localUrl, pictureNode } from "./media.js";
import { stamp } from "./timestamps.js";

export function embedNodes(embeds, names) {
  return embeds.map((embed) => embedNode(embed, names));
}

function embedNode(embed, names) {
  const color = Number.isInteger(embed.color) ? `#${embed.color.toString(16).padStart(6, "0")}` : null;
  const words = embed.title || "Picture of the embed";
  return h(
    "section",
    { class: "embed", style: color ? { "--bar": color } : {} },
    h("div", { class: "embed-main" }, embedText(embed, names)),
    embed.thumbnail?.url ? pictureNode({ description: words, ...embed.thumbnail }, "embed-thumb") : null,
    embed.image?.url ? pictureNode({ description: words, ...embed.image }, "embed-image") : null,
    footer(embed),
  );
}

function embedText(embed, names) {
  return [
    embed.author?.name ? h("p", { class: "embed-author" }, linked(embed.author.url, embed.author.name)) : null,
    embed.title ? h("h4", { class: "embed-title" }, linked(embed.url, inlineNodes(embed.title, names))) : null,
    embed.description ? h("div", { class: "embed-description" }, markdownNodes(embed.description, names)) : null,
    embed.fields?.length ? h("div", { class: "embed-fields" }, embed.fields.map((field) => fieldNode(field, names))) : null,
  ];
}

function linked(url, children) {
  if (!url || !/^https?:\/\//.test(url)) return children;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}

function fieldNode(field, names) {
  const name = h("div", { class: "field-name" }, inlineNodes(field.name, names));
  const value = h("div", { class: "field-value" }, markdownNodes(field.value, names));
  return h("div", { class: field.inline ? "field inline" : "field" }, name, value);
}

function footer(embed) {
  const parts = [embed.footer?.text, embed.timestamp ? stamp(new Date(embed.timestamp)) : null].filter(Boolean);
  if (!parts.length) return null;
  const mark = embed.footer?.icon_url ? h("img", { src: localUrl(embed.footer.icon_url), alt: "", width: 20, height: 20 }) : null;
  return h("footer", { class: "embed-footer" }, mark, parts.join(" • "));
}
