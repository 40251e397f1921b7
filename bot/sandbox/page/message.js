// One Discord message object, to one element. Clicks are named by `data-action` and handled by the timeline.
import { componentNodes } from "./components.js";
import { appTag, avatar, displayName, h, icon } from "./dom.js";
import { embedNodes } from "./embeds.js";
import { markdownNodes } from "./markdown.js";
import { attachmentNodes, localUrl } from "./media.js";
import { format, stamp } from "./timestamps.js";

const EPHEMERAL = 64;

export function isEphemeral(message) {
  return Boolean(message.page?.ephemeral_for) || (message.flags & EPHEMERAL) !== 0;
}

/** The whole row: `starts` says whether it carries the avatar and the author's line. */
export function messageNode(message, { starts, names, me }) {
  const classes = ["message", starts && "starts", isEphemeral(message) && "ephemeral", isWide(message) && "wide"];
  if (mentions(message, me)) classes.push("mentioned");
  const props = { class: classes.filter(Boolean).join(" "), dataset: { message: message.id } };
  const name = nameOf(message.author, names);
  props["aria-label"] = `${name}, ${stamp(new Date(message.timestamp))}`;
  return h(
    "article",
    props,
    starts && message.interaction_metadata?.name ? usedLine(message.interaction_metadata, names) : null,
    starts ? gutter(message) : shortStamp(message),
    h("div", { class: "body" }, starts ? authorLine(message, name) : null, bodyNodes(message, names, name)),
  );
}

/** As the server shows a person, also when the message carries only an account name. */
function nameOf(user, names) {
  return names.users.find((one) => one.id === user.id)?.name ?? displayName(user);
}

function mentions(message, me) {
  return Boolean(me) && (message.mentions ?? []).some((user) => user.id === me.id);
}

/** Pictures get the full width of a phone, beneath the avatar. */
function isWide(message) {
  return (message.attachments ?? []).length > 0 || (message.embeds ?? []).some((one) => one.image);
}

function usedLine({ user, name }, names) {
  const who = h("span", { class: "used-who" }, avatar(user, 16), nameOf(user, names));
  return h("div", { class: "used" }, who, " used ", h("span", { class: "used-name" }, icon("slash", 14), name));
}

function gutter(message) {
  return h("div", { class: "gutter" }, avatar(message.author));
}

function shortStamp(message) {
  const date = new Date(message.timestamp);
  return h("time", { class: "gutter short-stamp", datetime: message.timestamp }, format(date, "t"));
}

function authorLine(message, name) {
  const date = new Date(message.timestamp);
  return h(
    "header",
    { class: "author" },
    h("span", { class: message.author.bot ? "author-name bot" : "author-name" }, name),
    message.author.bot ? appTag() : null,
    h("time", { class: "stamp", datetime: message.timestamp, title: format(date, "F") }, stamp(date)),
    !message.content && message.edited_timestamp ? editedMark(message.edited_timestamp) : null,
  );
}

function bodyNodes(message, names, name) {
  const nodes = message.page?.deferred ? [thinking(name)] : contentNodes(message, names);
  if (message.page?.failure) nodes.push(h("p", { class: "failure", role: "alert" }, message.page.failure));
  if (isEphemeral(message)) nodes.push(onlyYou(message));
  return nodes;
}

function contentNodes(message, names) {
  if (message.page?.local === "pending") return [h("p", { class: "pending" }, "Sending command…")];
  const shown = withPictures(message);
  return [
    message.content ? content(message, names) : null,
    ...embedNodes(shown.embeds, names),
    ...attachmentNodes(shown.attachments),
    ...componentNodes(message.components ?? [], names, shown.resolve),
  ].filter(Boolean);
}

function content(message, names) {
  const failed = message.page?.local === "failed";
  const nodes = markdownNodes(message.content ?? "", names);
  if (message.edited_timestamp) nodes.push(editedMark(message.edited_timestamp));
  return h("div", { class: failed ? "content failed" : "content" }, nodes);
}

function editedMark(at) {
  const date = new Date(at);
  return h("time", { class: "edited", datetime: at, title: format(date, "F") }, "(edited)");
}

function thinking(name) {
  const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  return h("p", { class: "thinking" }, dots, `${name} is thinking…`);
}

function onlyYou(message) {
  const dismiss = { class: "text-button", type: "button", dataset: { action: "dismiss", message: message.id } };
  return h("p", { class: "only-you" }, icon("eye", 14), "Only you can see this · ", h("button", dismiss, "Dismiss message"));
}

/** Embeds with `attachment://` resolved, and the attachments that no embed already shows. */
function withPictures(message) {
  const attachments = message.attachments ?? [];
  const used = new Set();
  const resolve = (picture) => {
    if (!picture?.url) return picture;
    const file = attachments.find((one) => picture.url === `attachment://${one.filename}` || picture.url === one.url);
    if (file) used.add(file.id);
    return file ? { ...file, ...picture, url: localUrl(file.url) } : picture;
  };
  markGalleries(message.components ?? [], resolve);
  const embeds = (message.embeds ?? []).map((one) => ({ ...one, image: resolve(one.image), thumbnail: resolve(one.thumbnail) }));
  return { embeds, attachments: attachments.filter((one) => !used.has(one.id)), resolve };
}

/** What a card shows by itself is not shown below it again. */
function markGalleries(components, resolve) {
  for (const one of components) {
    for (const { media } of one.items ?? []) resolve(media);
    markGalleries(one.components ?? [], resolve);
  }
}
