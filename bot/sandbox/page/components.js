// Message components: rows of buttons and selects, and cards (the second kind): containers of texts, rules and rows.
// What a click means is told by `data-…`; the timeline sends it.
import { h, icon } from "./dom.js";
import { markdownNodes } from "./markdown.js";
import { attachmentNodes } from "./media.js";

export const ROW = 1;
export const BUTTON = 2;
export const STRING_SELECT = 3;
export const TEXT_INPUT = 4;
export const TEXT_DISPLAY = 10;
export const LABEL = 18;
const GALLERY = 12;
const SEPARATOR = 14;
const CONTAINER = 17;
const SELECTS = new Set([STRING_SELECT, 5, 6, 7, 8]);
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };
const LINK = 5;

/** `resolve` finds the attachment that a picture names. */
export function componentNodes(components, names, resolve) {
  return components.map((one) => componentNode(one, names, resolve)).filter(Boolean);
}

function componentNode(one, names, resolve) {
  if (one.type === GALLERY) return h("div", { class: "gallery" }, attachmentNodes(one.items.map(({ media }) => resolve(media))));
  if (one.type === ROW) return rowNode(one);
  if (one.type === TEXT_DISPLAY) return h("div", { class: "content" }, markdownNodes(one.content, names));
  if (one.type === SEPARATOR) return h("hr", { class: one.divider === false ? "rule bare" : "rule" });
  return one.type === CONTAINER ? containerNode(one, names, resolve) : null;
}

function containerNode({ accent_color: accent, components }, names, resolve) {
  const bar = Number.isInteger(accent) ? `#${accent.toString(16).padStart(6, "0")}` : null;
  const props = { class: bar ? "container accented" : "container", style: bar ? { "--bar": bar } : {} };
  return h("section", props, componentNodes(components ?? [], names, resolve));
}

function rowNode(row) {
  return h("div", { class: "component-row" }, row.components.map(childNode));
}

function childNode(component) {
  if (component.type === BUTTON) return component.style === LINK ? linkButton(component) : plainButton(component);
  return SELECTS.has(component.type) ? selectNode(component) : null;
}

function plainButton(component) {
  const dataset = { action: "component", customId: component.custom_id, componentType: component.type };
  const props = { class: `button ${STYLES[component.style] ?? "secondary"}`, type: "button", disabled: component.disabled };
  return h("button", { ...props, dataset }, label(component));
}

function linkButton(component) {
  const props = { class: "button secondary", href: component.url, target: "_blank", rel: "noopener noreferrer" };
  if (component.disabled || !/^https?:/.test(component.url)) return h("button", { class: "button secondary", type: "button", disabled: true }, label(component));
  return h("a", props, label(component), icon("external", 16));
}

function label(component) {
  const emoji = component.emoji?.id ? `:${component.emoji.name}:` : component.emoji?.name;
  const mark = emoji ? h("span", { class: "button-emoji" }, emoji) : null;
  return [mark, component.label ? h("span", {}, component.label) : null];
}

function selectNode(component) {
  const chosen = (component.options ?? []).filter((one) => one.default);
  const text = chosen.map((one) => one.label).join(", ") || component.placeholder || "Make a selection";
  const dataset = { action: "select", customId: component.custom_id, componentType: component.type };
  const props = { class: chosen.length ? "select chosen" : "select", type: "button", disabled: component.disabled };
  return h("button", { ...props, dataset, "aria-haspopup": "listbox" }, h("span", {}, text), icon("chevron"));
}

/** The component of a message that carries this custom id. */
export function findComponent(message, customId) {
  const within = (components) => components.flatMap((one) => [one, ...within(one.components ?? [])]);
  return within(message.components ?? []).find((one) => one.custom_id === customId) ?? null;
}

/** What a select offers: its own options, or the people and channels of this server. */
export function selectOptions(component, { users, channels }) {
  const people = users.map((user) => ({ label: user.name ?? user.username, value: user.id }));
  const places = channels.map((channel) => ({ label: `# ${channel.name}`, value: channel.id }));
  const byType = { 5: people, 6: [], 7: people, 8: places };
  return component.options ?? byType[component.type] ?? [];
}
