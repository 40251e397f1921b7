// Wires the parts together: one persona, one channel on screen, events in, interactions out.
import { follow } from "./api.js";
import { createBackstage } from "./backstage.js";
import { findComponent, selectOptions } from "./components.js";
import { createComposer } from "./composer.js";
import { icon } from "./dom.js";
import { createInteractions } from "./interactions.js";
import { openLightbox } from "./media.js";
import { openSelect } from "./select.js";
import * as shell from "./shell.js";
import { createStore } from "./store.js";
import { createTimeline } from "./timeline.js";
import { refreshRelative } from "./timestamps.js";

const PERSONA = "gexcord.persona";
const CHANNEL = "gexcord.channel";
const PERSONAS = ["owner", "guest"];
const NOTHING = { bot: { name: "", id: "0" }, channels: [], commands: [], users: [], channelName: "", operator: true };
const $ = (id) => document.getElementById(id);

const store = createStore();
const unread = new Set();
const drawers = shell.wireDrawers();
let link = null;
let persona = [fromUrl("as"), localStorage.getItem(PERSONA)].find((one) => PERSONAS.includes(one)) ?? PERSONAS[0];
let channelName = fromUrl("channel") ?? localStorage.getItem(CHANNEL);

const timeline = createTimeline({
  scroller: $("scroller"), list: $("messages"), jump: $("jump"),
  view: () => ({ me: me(), names: { users: users(), channels: store.state.channels } }),
});
const interactions = createInteractions({
  store, me, known, redraw, place: () => ({ as: persona, channel_id: current().id }), toBottom: timeline.toBottom,
});
const composer = createComposer({
  form: $("composer"), popup: $("suggest"), problem: $("problem"), known,
  run: interactions.send, force: interactions.force, complete: interactions.complete,
});

// ---- who, where

function fromUrl(name) {
  return new URLSearchParams(location.search).get(name);
}

function remember() {
  const url = new URL(location.href);
  url.searchParams.set("as", persona);
  url.searchParams.set("channel", channelName);
  history.replaceState(null, "", url);
  localStorage.setItem(PERSONA, persona);
  localStorage.setItem(CHANNEL, channelName);
}

function current() {
  const { channels } = store.state;
  return channels.find((one) => one.name === channelName) ?? channels[0];
}

/** How a channel is called on screen. */
function title(channel) {
  return `${channel.direct ? "@" : "#"}${channel.label}`;
}

function me() {
  return store.state.personas.find((one) => one.key === store.state.as);
}

function users() {
  return [...store.state.personas, store.state.bot];
}

function known() {
  if (!store.state) return NOTHING;
  const { bot, channels, commands } = store.state;
  return { bot, channels, commands, users: users(), channelName: title(current()), operator: me().operator };
}

// ---- on screen

function draw() {
  const channel = current();
  shell.renderGuild(store.state);
  drawChannels();
  shell.renderHeader(channel, title(channel));
  shell.renderMembers(store.state);
  shell.renderPanel(store.state, switchPersona);
  composer.retitle();
  redraw(channel.id);
}

function drawChannels() {
  shell.renderChannels(store.state, current(), unread, openChannel);
}

function redraw(channelId) {
  if (channelId === current().id) timeline.sync(store.list(channelId));
}

function openChannel(channel) {
  channelName = channel.name;
  unread.delete(channel.id);
  remember();
  timeline.clear();
  draw();
  drawers.close();
}

function switchPersona(key) {
  if (key === persona) return;
  persona = key;
  store.forgetLocals();
  composer.reset();
  $("messages").setAttribute("aria-busy", "true");
  drawers.close();
  start();
}

function announce(sentence) {
  $("announcer").textContent = sentence;
}

// ---- events in

const handlers = {
  message_create: onMessage,
  message_update: onMessage,
  message_delete: ({ id, channel_id: channelId }) => {
    store.remove(channelId, id);
    redraw(channelId);
  },
  modal: interactions.showModal,
  channels: (channels) => {
    store.setChannels(channels);
    drawChannels();
  },
  commands: (commands) => {
    store.setCommands(commands);
    composer.retitle();
  },
  interaction_failed: (failed) => {
    announce(failed.message);
    interactions.fail(failed);
  },
};

function start() {
  link?.close();
  link = follow(persona, { onState, onLive, onEvent: (kind, data) => handlers[kind]?.(data) });
}

function onState(state) {
  const other = store.state?.as !== state.as;
  store.replace(state);
  store.dropPending();
  channelName = current().name;
  remember();
  if (other) timeline.clear();
  draw();
  $("messages").setAttribute("aria-busy", "false");
}

function onLive(live) {
  $("banner").hidden = live;
  $("app").dataset.live = String(live);
}

function onMessage(message) {
  if (!store.put(message)) return message.channel_id === current().id && timeline.patch(message);
  interactions.settle(message);
  redraw(message.channel_id);
  if (message.channel_id !== current().id && !unread.has(message.channel_id)) {
    unread.add(message.channel_id);
    drawChannels();
  }
  if (message.page?.ephemeral_for) announce(`${store.state.bot.name} answered privately.`);
}

// ---- clicks in messages

function messageOf(node) {
  return store.get(current().id, node.closest("[data-message]").dataset.message);
}

function pressed(node, values = null) {
  const message = messageOf(node);
  interactions.press(node, message, findComponent(message, node.dataset.customId), values);
}

const actions = {
  dismiss: (node) => {
    store.dismiss(current().id, node.dataset.message);
    redraw(current().id);
  },
  spoiler: (node) => {
    node.classList.add("revealed");
    node.setAttribute("aria-expanded", "true");
  },
  zoom: (node) => openLightbox(node.querySelector("img")),
  channel: (node) => openChannel(store.state.channels.find((one) => one.id === node.dataset.channel)),
  slash: (node) => composer.begin(node.dataset.text),
  component: (node) => pressed(node),
  select: (node) => {
    const component = findComponent(messageOf(node), node.dataset.customId);
    const { min_values: min = 1, max_values: max = 1 } = component;
    openSelect(node, { options: selectOptions(component, known()), min, max, onChoose: (values) => pressed(node, values) });
  },
};

$("messages").addEventListener("click", (event) => {
  const node = event.target.closest("[data-action]");
  if (node && !node.disabled && node.getAttribute("aria-busy") !== "true") actions[node.dataset.action](node);
});
$("messages").addEventListener("keydown", (event) => {
  const spoiler = event.key === "Enter" || event.key === " " ? event.target.closest(".spoiler") : null;
  if (!spoiler) return;
  event.preventDefault();
  actions.spoiler(spoiler);
});

for (const node of document.querySelectorAll("[data-icon]")) node.prepend(icon(node.dataset.icon, Number(node.dataset.size ?? 24)));
setInterval(() => refreshRelative($("messages")), 1000);
shell.restoreTheme();
createBackstage({ root: $("backstage"), button: $("open-backstage"), app: $("app"), close: drawers.close });
start();
