// Elements without markup strings: text always arrives as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** One element; `on…` props are listeners, `dataset` and `style` are objects, null and false props are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "style") Object.entries(value).forEach(([key, text]) => node.style.setProperty(key, text));
  else node.setAttribute(name, value === true ? "" : value);
}

const ICONS = {
  hash: ["M9 4 7 20", "M17 4 15 20", "M4.5 9H20", "M4 15.2h15.5"],
  at: ["M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z", "M16 8v5.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-3.6 7.2"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  members: ["M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z", "M2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6", "M16 4.5a3.3 3.3 0 0 1 0 6.3", "M18 14.4c2.2.8 3.5 2.7 3.5 5.6"],
  theme: ["M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8Z"],
  send: ["M4 12 3.5 4.5 21 12 3.5 19.5Z", "M4 12h8"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  chevron: ["M6 9l6 6 6-6"],
  eye: ["M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z", "M12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z"],
  crown: ["M4 18.5h16", "M4.5 15.5 3 7l5 3.8L12 5l4 5.8L21 7l-1.5 8.5Z"],
  external: ["M13 5h6v6", "M19 5l-8.5 8.5", "M17 14.5V19H5V7h4.5"],
  pulse: ["M3 12h4l3-8 4 16 3-8h4"],
  slash: ["M6 4h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Z", "M14.5 8l-5 8"],
  down: ["M12 5v13", "M6 12.5 12 18.5 18 12.5"],
};

/** A line icon of our own drawing, hidden from screen readers. */
export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** A round avatar: the bot's own picture, or initials on a colour that the id chooses. */
export function avatar(user, size = 40) {
  const props = { class: "avatar", "aria-hidden": "true", style: { "--size": `${size}px` } };
  if (user.bot) return h("span", props, h("img", { src: "/static/bot.svg", alt: "", width: size, height: size }));
  const hue = Number(BigInt(user.id || 0) % 5n);
  return h("span", { ...props, dataset: { hue } }, initials(user));
}

export function displayName(user) {
  return user.global_name || user.username || user.name || "unknown";
}

function initials(user) {
  return displayName(user).slice(0, 1).toUpperCase();
}

/** The tag beside a bot's name. */
export function appTag() {
  return h("span", { class: "app-tag" }, "APP");
}

/** Makes an input the combobox of the composer's list. */
export function describe(input, label) {
  if (label) input.setAttribute("aria-label", label);
  const props = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggest" };
  for (const [name, value] of Object.entries(props)) input.setAttribute(name, value);
}
