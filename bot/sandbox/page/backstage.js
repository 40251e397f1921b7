// The panel of what goes on behind the messages: gauges, buttons that make trouble, and when news came again after each.
import { makeTrouble, readBackstage } from "./api.js";
import { h } from "./dom.js";

const EVERY_MS = 1000;
const OPEN = "gexcord.backstage";

/** Follows the panel while it is to be seen. `setOpen(false)` leaves the page as Discord is. */
export function createBackstage({ root, button, app, close }) {
  const gauges = root.querySelector("#gauges");
  const levers = root.querySelector("#levers");
  const trials = root.querySelector("#trials");
  const problem = root.querySelector("#trouble-problem");
  const narrow = matchMedia("(max-width: 1000px)");
  let before = null;

  function isOpen() {
    return narrow.matches ? app.dataset.drawer === "backstage" : app.hasAttribute("data-backstage");
  }

  function setOpen(open) {
    if (narrow.matches) {
      if (open) app.dataset.drawer = "backstage";
      else close();
    } else {
      app.toggleAttribute("data-backstage", open);
      localStorage.setItem(OPEN, open ? "yes" : "no");
    }
    mark();
  }

  function mark() {
    button.setAttribute("aria-expanded", String(isOpen()));
    if (isOpen()) look();
  }

  async function look() {
    const facts = await readBackstage().catch(() => null);
    if (!facts) return;
    const now = { at: performance.now(), counts: countsOf(facts) };
    gauges.replaceChildren(...facts.gauges.filter((gauge) => gauge.rows.length).map((gauge) => gaugeNode(gauge, now)));
    drawLevers(facts.levers);
    trials.replaceChildren(...facts.trials.map(trialNode));
    root.querySelector("#trials-title").hidden = facts.trials.length === 0;
    before = now;
  }

  function gaugeNode(gauge, now) {
    const rows = gauge.rows.map((row) => [h("dt", {}, row.name), h("dd", {}, valueOf(gauge, row, now))]);
    return h("section", { class: "gauge" }, h("h3", {}, gauge.title), h("dl", {}, rows));
  }

  function valueOf(gauge, row, now) {
    if (!row.counts) return String(row.value);
    const known = before?.counts.get(`${gauge.title} ${row.name}`);
    const total = row.value.toLocaleString("en-US");
    if (known === undefined || now.at - before.at < EVERY_MS / 4) return total;
    const rate = ((row.value - known) / (now.at - before.at)) * 1000;
    return [total, h("small", {}, `${Math.max(rate, 0).toFixed(1)}/s`)];
  }

  /** Buttons stay the same nodes, so that focus and a click on its way are not lost. */
  function drawLevers(list) {
    for (const lever of list) {
      const node = levers.querySelector(`[data-trouble="${CSS.escape(lever.name)}"]`) ?? levers.appendChild(leverNode(lever));
      node.setAttribute("aria-busy", String(lever.on));
    }
  }

  function leverNode(lever) {
    const props = { class: "button secondary", type: "button", title: lever.does, dataset: { trouble: lever.name } };
    return h("button", { ...props, onclick: (event) => pull(event.currentTarget) }, lever.label);
  }

  async function pull(node) {
    if (node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    say("");
    const { status, body } = await makeTrouble({ name: node.dataset.trouble });
    if (status !== 200) say(body.message ?? `The local Discord answered ${status}.`);
    look();
  }

  function say(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  root.querySelector("#end-trouble").addEventListener("click", () => makeTrouble({}).then(look));
  root.querySelector("#close-backstage").addEventListener("click", () => setOpen(false));
  button.addEventListener("click", () => setOpen(!isOpen()));
  new MutationObserver(mark).observe(app, { attributes: true, attributeFilter: ["data-drawer"] });
  app.toggleAttribute("data-backstage", localStorage.getItem(OPEN) !== "no");
  mark();
  setInterval(() => isOpen() && !document.hidden && look(), EVERY_MS);
}

function countsOf({ gauges }) {
  return new Map(gauges.flatMap((gauge) => gauge.rows.filter((row) => row.counts).map((row) => [`${gauge.title} ${row.name}`, row.value])));
}

function trialNode(trial) {
  const at = new Date(trial.at).toLocaleTimeString("en-GB");
  return h("li", { dataset: { trial: trial.name, state: stateOf(trial) } }, h("time", {}, at), h("b", {}, trial.label), h("span", {}, fate(trial)));
}

function stateOf(trial) {
  if (trial.on) return "on";
  return trial.news_after_s === null ? "silent" : "recovered";
}

function fate(trial) {
  if (trial.on) return "going on…";
  if (trial.news_after_s === null) return "over; waiting for news…";
  return `news everywhere ${trial.news_after_s.toFixed(1)} s after it`;
}
