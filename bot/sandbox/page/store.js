// What the page knows: the server, its channels, and the newest messages of each, by id.

const KEPT_PER_CHANNEL = 150;
const DISMISSED_KEPT = 300;
const DISMISSED = "gexcord.dismissed";

export function createStore() {
  const dismissed = loadDismissed();
  let state = null;
  let messages = new Map();
  let locals = new Map();
  let serial = 0;

  const of = (where, channelId) => {
    if (!where.has(channelId)) where.set(channelId, new Map());
    return where.get(channelId);
  };

  return {
    get state() {
      return state;
    },
    replace(fresh) {
      state = fresh;
      messages = new Map();
      for (const [channelId, list] of Object.entries(fresh.messages)) {
        for (const message of list.slice(-KEPT_PER_CHANNEL)) of(messages, channelId).set(message.id, message);
      }
    },
    forgetLocals() {
      locals = new Map();
    },
    setChannels(channels) {
      state = { ...state, channels };
    },
    setCommands(commands) {
      state = { ...state, commands };
    },
    /** True when the message is new to the page. */
    put(message) {
      const channel = of(messages, message.channel_id);
      const isNew = !channel.has(message.id);
      channel.set(message.id, message);
      if (channel.size > KEPT_PER_CHANNEL) channel.delete(sorted(channel)[0].id);
      return isNew;
    },
    remove(channelId, id) {
      of(messages, channelId).delete(id);
    },
    get(channelId, id) {
      return messages.get(channelId)?.get(id) ?? null;
    },
    list(channelId) {
      const real = sorted(of(messages, channelId)).filter((message) => !dismissed.has(message.id));
      return withLocals(real, [...of(locals, channelId).values()]);
    },
    /** A row that only this page shows: a command on its way, or what became of it. */
    addLocal(channelId, message) {
      serial += 1;
      const id = `local-${serial}`;
      const after = sorted(of(messages, channelId)).at(-1)?.id ?? null;
      const made = { id, after, channel_id: channelId, timestamp: new Date().toISOString(), flags: 0, ...message };
      of(locals, channelId).set(id, made);
      return made;
    },
    changeLocal(local, changes) {
      of(locals, local.channel_id).set(local.id, { ...local, ...changes });
    },
    locals(channelId) {
      return [...of(locals, channelId).values()];
    },
    dropLocal(local) {
      of(locals, local.channel_id).delete(local.id);
    },
    /** What was on its way before the state was read anew has arrived in it, or never will. */
    dropPending() {
      for (const channel of locals.values()) {
        for (const [id, local] of channel) if (local.page.local === "pending") channel.delete(id);
      }
    },
    dismiss(channelId, id) {
      if (of(locals, channelId).delete(id)) return;
      dismissed.add(id);
      sessionStorage.setItem(DISMISSED, JSON.stringify([...dismissed].slice(-DISMISSED_KEPT)));
    },
  };
}

/** Oldest first. */
function sorted(channel) {
  return [...channel.values()].sort((one, other) => compareIds(one.id, other.id));
}

/** Rows of our own stand after the message that was the newest when they were made. */
function withLocals(real, locals) {
  const list = [...real];
  for (const local of locals) {
    const newer = local.after === null || local.page.local === "pending" ? -1 : list.findIndex((one) => isNewer(one, local));
    list.splice(newer < 0 ? list.length : newer, 0, local);
  }
  return list;
}

function isNewer(message, local) {
  return !message.page?.local && compareIds(message.id, local.after) > 0;
}

/** Snowflakes compare as numbers too large for Number. */
function compareIds(one, other) {
  return one.length - other.length || (one === other ? 0 : one < other ? -1 : 1);
}

function loadDismissed() {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(DISMISSED) ?? "[]"));
  } catch {
    return new Set();
  }
}
