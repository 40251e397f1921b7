// What a person does, on its way to the bot, and what becomes of it: pending rows, failures, forms.
import { interact, readState } from "./api.js";
import { argumentsInText, leafInText, leavesOf, readValue, wireOptions } from "./commands.js";
import { openModal } from "./modal.js";

const BUSY_MS = 4000;
const FORCED = "Forcing it, so that the bot itself must answer:";
const BROKEN = "Something went wrong. Try again.";

/**
 * `place()` answers `{as, channel_id}` of the screen, `me()` the persona, `known()` people and channels by name;
 * `redraw(channelId)` shows what the store now holds, `toBottom()` follows it.
 */
export function createInteractions({ store, place, me, known, redraw, toBottom }) {
  const clicks = new Map();

  function botAuthor() {
    const { bot } = store.state;
    return { ...bot, username: bot.name, bot: true };
  }

  function addRow(channelId, page, rest) {
    const row = store.addLocal(channelId, { author: botAuthor(), page: { ephemeral_for: null, ...page }, ...rest });
    redraw(channelId);
    toBottom();
    return row;
  }

  function showFailure(channelId, sentence, used = null) {
    addRow(channelId, { local: "failed", ephemeral_for: place().as }, { content: sentence, interaction_metadata: used });
  }

  // ---- commands

  async function send(leaf, options, force = false) {
    const here = place();
    const used = { user: { ...me(), username: me().name }, name: leaf.name };
    const row = addRow(here.channel_id, { local: "pending" }, { interaction_metadata: used });
    const { status, body } = await interact({ ...here, type: "command", command_id: leaf.commandId, options, force });
    if (status === 202) return linkRow(row, body.interaction_id);
    store.dropLocal(row);
    const refused = status === 403 && !force;
    showFailure(here.channel_id, refused ? `${body.message ?? ""} ${FORCED}`.trim() : (body.message ?? BROKEN), used);
    return refused ? send(leaf, options, true) : null;
  }

  function linkRow(row, interaction) {
    const waiting = pendingRows(row.channel_id).find((one) => one.id === row.id);
    if (waiting) store.changeLocal(waiting, { page: { ...waiting.page, interaction } });
  }

  /** A command that this persona is not offered, typed in full: looked up as an operator sees it, sent as this persona. */
  async function force(text) {
    const operator = store.state.personas.find((one) => one.operator && one.key !== me().key);
    const state = operator ? await readState(operator.key).catch(() => null) : null;
    const hit = leafInText(leavesOf(state?.commands ?? []), text);
    if (!hit) return `There is no command “${text}”.`;
    const read = argumentsInText(hit.leaf, hit.rest).pairs.map(({ option, text: value }) => ({
      option, ...readValue(option, value, null, known()),
    }));
    const problem = read.find((one) => one.problem)?.problem;
    if (problem) return problem;
    await send(hit.leaf, wireOptions(hit.leaf, read.filter((one) => one.value !== undefined)));
    return null;
  }

  async function complete(leaf, options) {
    const { status, body } = await interact({ ...place(), type: "autocomplete", command_id: leaf.commandId, options });
    return status === 200 ? body.choices : null;
  }

  function pendingRows(channelId) {
    return store.locals(channelId).filter((one) => one.page.local === "pending");
  }

  /** The answer has arrived: its "Sending command…" row goes. */
  function settle(message) {
    const used = message.interaction_metadata;
    if (!used || used.user?.id !== me().id) return;
    const rows = pendingRows(message.channel_id);
    const row = rows.find((one) => one.page.interaction && one.page.interaction === used.id)
      ?? rows.find((one) => one.interaction_metadata.name === used.name);
    if (row) store.dropLocal(row);
  }

  function takePending(interactionId) {
    const rows = store.state.channels.flatMap((channel) => pendingRows(channel.id));
    const row = rows.find((one) => one.page.interaction === interactionId) ?? rows.find((one) => !one.page.interaction);
    if (!row) return null;
    store.dropLocal(row);
    redraw(row.channel_id);
    return row;
  }

  // ---- components, forms

  async function press(button, message, component, values = null) {
    button.setAttribute("aria-busy", "true");
    setTimeout(() => button.removeAttribute("aria-busy"), BUSY_MS);
    const at = { channelId: message.channel_id, messageId: message.id };
    const body = { ...place(), type: "component", message_id: message.id };
    Object.assign(body, { custom_id: component.custom_id, component_type: component.type }, values && { values });
    const answer = await interact(body);
    if (answer.status !== 202) return failComponent(at, answer.body.message ?? "This interaction failed");
    clicks.set(answer.body.interaction_id, at);
    setTimeout(() => clicks.delete(answer.body.interaction_id), 2 * BUSY_MS);
  }

  function failComponent({ channelId, messageId }, failure) {
    const message = store.get(channelId, messageId);
    if (!message) return;
    store.put({ ...message, page: { ...message.page, failure } });
    redraw(channelId);
  }

  function showModal(modal) {
    takePending(modal.interaction_id);
    openModal(modal, {
      botName: store.state.bot.name,
      onSubmit: async (components) => {
        const { interaction_id: id, custom_id: customId } = modal;
        const { status, body } = await interact({ ...place(), type: "modal", interaction_id: id, custom_id: customId, components });
        return status === 202 ? null : (body.message ?? BROKEN);
      },
    });
  }

  /** The bot did not answer in time. */
  function fail({ interaction_id: id, message }) {
    const click = clicks.get(id);
    if (click) return failComponent(click, message);
    const row = takePending(id);
    showFailure(row?.channel_id ?? place().channel_id, message, row?.interaction_metadata);
  }

  return { send, force, complete, press, settle, fail, showModal };
}
