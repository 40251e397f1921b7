// The page's own HTTP interface, and the stream of server-sent events kept alive across reloads of the server.

const KINDS = ["message_create", "message_update", "message_delete", "modal", "commands", "channels", "interaction_failed"];
const RETRY_MS = [300, 600, 1200, 2500, 5000];

/** Everything one persona may see; raises when the server does not answer well. */
export async function readState(persona) {
  const response = await fetch(`/api/page/state?as=${encodeURIComponent(persona)}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return response.json();
}

/** What the panel shows; raises when the server does not answer well. */
export async function readBackstage() {
  const response = await fetch("/api/page/backstage", { cache: "no-store" });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return response.json();
}

/** Sends one interaction; `{status, body}` whatever the server says, status 0 when it is away. */
export function interact(body) {
  return post("/api/page/interact", body);
}

/** Makes the trouble of a `name` and answers when it has begun; without a name all trouble ends. Answers as `interact`. */
export function makeTrouble(body) {
  return post("/api/page/trouble", body);
}

async function post(path, body) {
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json().catch(() => ({})) };
  } catch {
    return { status: 0, body: { message: "The local Discord is not answering; it may be restarting." } };
  }
}

/** Follows one persona's events until `close()`; state is read anew after every (re)connection, so nothing is missed. */
export function follow(persona, { onState, onEvent, onLive }) {
  let source = null;
  let timer = null;
  let failures = 0;
  let closed = false;

  function connect() {
    source = new EventSource(`/api/page/events?as=${encodeURIComponent(persona)}`);
    const mine = source;
    let waiting = [];
    const deliver = (kind, event) => {
      const data = JSON.parse(event.data);
      if (waiting) waiting.push([kind, data]);
      else onEvent(kind, data);
    };
    for (const kind of KINDS) source.addEventListener(kind, (event) => deliver(kind, event));
    source.onerror = () => retry(mine);
    source.onopen = async () => {
      const state = await readState(persona).catch(() => null);
      if (closed || mine !== source) return;
      if (!state) {
        retry(mine);
        return;
      }
      failures = 0;
      onState(state);
      const missed = waiting;
      waiting = null;
      for (const [kind, data] of missed) onEvent(kind, data);
      onLive(true);
    };
  }

  function retry(which) {
    if (closed || which !== source) return;
    source.close();
    source = null;
    onLive(false);
    timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  }

  connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}
