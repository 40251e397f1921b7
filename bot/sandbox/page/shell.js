// Everything around the messages: rail, channels, members, header, the panel that switches persona, theme and drawers.
import { appTag, avatar, h, icon } from "./dom.js";

const THEME = "gexcord.theme";

export function renderGuild({ guild }) {
  const mark = guild.name.split(/\s+/).map((word) => word[0]).join("").slice(0, 3);
  const rail = document.getElementById("guilds");
  rail.replaceChildren(h("div", { class: "guild", title: guild.name }, h("span", { "aria-hidden": "true" }, mark)));
  document.getElementById("guild-name").textContent = guild.name;
}

export function renderChannels({ channels }, current, unread, onOpen) {
  const row = (channel) => {
    const classes = ["channel", channel.id === current.id && "current", unread.has(channel.id) && "unread"];
    const props = { class: classes.filter(Boolean).join(" "), type: "button", onclick: () => onOpen(channel) };
    const here = channel.id === current.id ? "page" : null;
    return h("li", {}, h("button", { ...props, "aria-current": here, dataset: { channel: channel.name } }, icon(channel.direct ? "at" : "hash"), h("span", {}, channel.label)));
  };
  const direct = channels.filter((channel) => channel.direct);
  document.getElementById("channels").replaceChildren(...channels.filter((channel) => !channel.direct).map(row));
  document.getElementById("direct").replaceChildren(...direct.map(row));
  document.getElementById("direct-title").hidden = direct.length === 0;
}

export function renderHeader(channel, title) {
  document.getElementById("channel-name").textContent = channel.label;
  const topic = document.getElementById("topic");
  topic.textContent = channel.topic ?? "";
  topic.title = channel.topic ?? "";
  document.title = `${title} | Gexcord local Discord`;
  for (const mark of document.querySelectorAll(".hash, .welcome-hash")) {
    mark.replaceChildren(icon(channel.direct ? "at" : "hash", Number(mark.dataset.size ?? 24)));
  }
  const welcome = document.getElementById("welcome");
  welcome.querySelector("h2").textContent = channel.direct ? channel.label : `Welcome to ${title}!`;
  welcome.querySelector("p").textContent = channel.direct ? `This is the beginning of your direct messages with ${channel.label}.` : `This is the start of the ${title} channel. ${channel.topic ?? ""}`;
}

export function renderMembers({ bot, personas, as }) {
  const row = (user, isBot, extra) => h("li", { class: "member" }, online(avatar({ ...user, bot: isBot }, 32)), h("span", { class: "member-name" }, h("span", {}, user.name), extra));
  const people = personas.map((one) => row(one, false, [one.operator ? crown() : null, one.key === as ? h("small", {}, "you") : null]));
  const list = document.getElementById("member-list");
  list.replaceChildren(
    h("h3", {}, "Bot — 1"), h("ul", {}, row(bot, true, appTag())),
    h("h3", {}, `Online — ${personas.length}`), h("ul", {}, people),
  );
}

function crown() {
  return h("span", { class: "crown", title: "Operator" }, icon("crown", 14));
}

function online(node) {
  return h("span", { class: "presence" }, node);
}

export function renderPanel({ personas, as }, onSwitch) {
  const me = personas.find((one) => one.key === as);
  const who = h("div", { class: "me" }, online(avatar(me, 32)), h("div", {}, h("b", {}, me.name), h("small", {}, me.operator ? "Operator" : "Not an operator")));
  const choices = personas.map((one) => {
    const props = { type: "button", "aria-pressed": String(one.key === as), dataset: { persona: one.key } };
    return h("button", { ...props, onclick: () => onSwitch(one.key) }, one.key[0].toUpperCase() + one.key.slice(1));
  });
  const group = h("div", { class: "personas", role: "group", "aria-label": "Look at the server as" }, choices);
  document.getElementById("panel").replaceChildren(h("div", { class: "panel-row" }, who, themeButton()), group);
}

function themeButton() {
  const props = { class: "icon-button", type: "button", title: "Dark or light theme", "aria-label": "Switch theme", id: "theme" };
  return h("button", { ...props, onclick: switchTheme }, icon("theme"));
}

function switchTheme() {
  const next = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  document.documentElement.dataset.theme = next;
  localStorage.setItem(THEME, next);
}

/** Dark as Discord is, unless this browser chose otherwise before. */
export function restoreTheme() {
  const asked = new URLSearchParams(location.search).get("theme") ?? localStorage.getItem(THEME);
  document.documentElement.dataset.theme = asked === "light" ? "light" : "dark";
}

/** Drawers of the narrow layout; on a wide screen the member list folds instead. */
export function wireDrawers() {
  const app = document.getElementById("app");
  const narrow = matchMedia("(max-width: 760px)");
  const open = (name) => {
    app.dataset.drawer = name ?? "";
    document.getElementById("open-channels").setAttribute("aria-expanded", String(name === "channels"));
  };
  document.getElementById("open-channels").addEventListener("click", () => open("channels"));
  document.getElementById("open-members").addEventListener("click", () => {
    if (matchMedia("(max-width: 1000px)").matches) open(app.dataset.drawer === "members" ? null : "members");
    else if (app.hasAttribute("data-backstage")) document.getElementById("open-backstage").click();
    else app.toggleAttribute("data-no-members");
  });
  document.getElementById("backdrop").addEventListener("click", () => open(null));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.dataset.drawer) open(null);
  });
  narrow.addEventListener("change", () => open(null));
  return { close: () => open(null) };
}
