// The box at the bottom: text that begins with a slash finds commands, a chosen one becomes pills (pills.js).
import { leafInText, leavesOf, searchLeaves, wireOptions } from "./commands.js";
import { avatar, describe } from "./dom.js";
import { createPills } from "./pills.js";
import { createSuggest } from "./suggest.js";

const FORCE_NOTE = "You are offered no such command. Type its full name and press Enter to force it: the bot itself must refuse.";
const NO_CHAT = "This local Discord takes slash commands only. Type / to see them.";

/**
 * `known()` answers `{bot, users, channels, commands, channelName, operator}`. `run(leaf, options)` sends; `force(text)` is
 * tried with the text of a command that is not offered; `complete(leaf, options)` asks the bot and answers choices or null.
 */
export function createComposer({ form, popup, problem, known, run, force, complete }) {
  const box = form.querySelector(".entry");
  const text = form.querySelector("#entry");
  const button = form.querySelector(".send");
  const suggest = createSuggest(popup, markActive);
  const pills = createPills({ box, suggest, known, complete, say, finish, leave: reset });

  function say(sentence) {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  function markActive(id, open) {
    const input = document.activeElement;
    if (!box.contains(input)) return;
    input.setAttribute("aria-expanded", String(Boolean(open)));
    if (id) input.setAttribute("aria-activedescendant", id);
    else input.removeAttribute("aria-activedescendant");
  }

  function leaves() {
    return leavesOf(known().commands);
  }

  function onText() {
    say("");
    button.disabled = !text.value.trim();
    if (!text.value.startsWith("/")) return suggest.hide();
    const hit = leafInText(leaves(), text.value);
    return hit?.rest ? begin(hit.leaf, hit.rest) : suggestCommands(text.value.slice(1).trim());
  }

  function suggestCommands(query) {
    const { bot, operator } = known();
    const rows = searchLeaves(leaves(), query).map((leaf) => ({
      title: `/${leaf.name}`,
      chips: leaf.options.map((option) => (option.required ? option.name : `${option.name}?`)),
      detail: leaf.description,
      side: bot.name,
      lead: avatar({ ...bot, bot: true }, 24),
      onPick: () => begin(leaf, ""),
    }));
    if (rows.length) suggest.show(bot.name.toUpperCase(), rows);
    else suggest.show(`NO COMMANDS MATCH “${query}”`, [], { note: operator ? null : FORCE_NOTE });
  }

  function begin(leaf, rest) {
    text.hidden = true;
    button.disabled = false;
    pills.begin(leaf, rest);
    pills.refresh();
  }

  async function sendText() {
    const typed = text.value.trim();
    if (!typed) return;
    if (!typed.startsWith("/")) return say(NO_CHAT);
    const hit = leafInText(leaves(), typed);
    if (hit?.leaf.options.some((option) => option.required)) return begin(hit.leaf, "");
    if (hit) return finish(hit.leaf, wireOptions(hit.leaf, []));
    reset();
    return say((await force(typed)) ?? "");
  }

  function finish(leaf, options) {
    reset();
    run(leaf, options);
  }

  function reset(value = "") {
    pills.end();
    box.replaceChildren(text);
    text.hidden = false;
    text.value = value;
    text.focus();
    onText();
  }

  // ---- keys, touches

  function onEnter() {
    if (pills.leaf) return pills.onEnter();
    const exact = leafInText(leaves(), text.value.trim());
    if (suggest.current && (suggest.chosen || !exact)) return suggest.current.onPick();
    return sendText();
  }

  function onTab(event) {
    if (event.shiftKey || !suggest.open) return;
    if (!suggest.current && pills.leaf && pills.wantsFirst()) suggest.move(1);
    if (!suggest.current) return;
    event.preventDefault();
    suggest.current.onPick();
  }

  function onEscape() {
    if (suggest.open) suggest.hide();
    else if (pills.leaf) reset();
  }

  const keys = { ArrowDown: () => suggest.move(1), ArrowUp: () => suggest.move(-1), Enter: onEnter, Escape: onEscape };

  form.addEventListener("keydown", (event) => {
    if (event.isComposing || !box.contains(event.target)) return;
    if (event.key === "Tab") onTab(event);
    else if (event.key === "Backspace" && pills.leaf) pills.onBackspace(event);
    else if (keys[event.key] && (suggest.open || !event.key.startsWith("Arrow"))) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (pills.leaf) pills.send();
    else sendText();
  });
  box.addEventListener("input", (event) => (pills.leaf ? pills.onInput(event.target) : onText()));
  box.addEventListener("focusin", () => pills.leaf && pills.refresh());
  box.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) suggest.hide();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box && pills.leaf) pills.focusTail();
    else if (event.target === box) text.focus();
    else if (event.target === text) onText();
  });
  form.querySelector(".open-commands").addEventListener("click", () => reset("/"));
  describe(text, null);

  return {
    begin: reset,
    reset: () => reset(),
    /** The channel or the offered commands changed. */
    retitle() {
      const label = `Message ${known().channelName}`;
      text.placeholder = `${label} · type / for commands`;
      text.setAttribute("aria-label", label);
      if (pills.leaf && !leaves().some((leaf) => leaf.name === pills.leaf.name)) reset();
    },
  };
}
