// A chosen command in the composer: its name, a pill per given option, and a tail in which further options are found.
import { argumentsInText, choiceNamed, fixedChoices, readValue, typeName, wireOptions } from "./commands.js";
import { describe, h } from "./dom.js";

const AUTOCOMPLETE_MS = 200;

/** `finish(leaf, options)` sends and `leave(text)` goes back to plain text; `known` and `complete` as in the composer. */
export function createPills({ box, suggest, known, complete, say, finish, leave }) {
  let command = null;
  let asked = 0;
  let timer = null;

  function begin(leaf, rest) {
    const tail = h("input", { class: "tail", type: "text", autocomplete: "off", spellcheck: "false", enterkeyhint: "send" });
    describe(tail, `Options of /${leaf.name}`);
    command = { leaf, pills: [], tail };
    box.append(h("span", { class: "command-name" }, `/${leaf.name}`), tail);
    const { pairs, loose } = argumentsInText(leaf, rest);
    for (const option of leaf.options.filter((one) => one.required)) fill(option, "");
    for (const { option, text } of pairs) fill(option, text);
    tail.value = loose;
    nextGap().focus();
  }

  function end() {
    command = null;
    stopAsking();
  }

  function stopAsking() {
    clearTimeout(timer);
    asked += 1;
  }

  // ---- the pills themselves

  function fill(option, value) {
    const pill = command.pills.find((one) => one.option === option) ?? add(option);
    pill.input.value = value;
    fit(pill);
    return pill;
  }

  function add(option) {
    const props = { type: "text", autocomplete: "off", spellcheck: "false", inputmode: inputMode(option), enterkeyhint: "send" };
    const input = h("input", props);
    describe(input, `${option.name}: ${option.description}`);
    const node = h("label", { class: "pill" }, h("span", { class: "pill-name" }, option.name), input);
    const pill = { option, input, node, picked: null };
    command.pills.push(pill);
    box.insertBefore(node, command.tail);
    return pill;
  }

  function remove(pill) {
    command.pills = command.pills.filter((one) => one !== pill);
    pill.node.remove();
    command.tail.focus();
  }

  function open(option, value = "") {
    command.tail.value = "";
    fill(option, value).input.focus();
    refresh();
  }

  function pick(pill, choice) {
    pill.picked = choice;
    pill.input.value = choice.name;
    fit(pill);
    mark(pill, "");
    nextGap().focus();
    refresh();
  }

  function mark(pill, sentence) {
    pill.node.classList.toggle("wrong", Boolean(sentence));
    pill.input.setAttribute("aria-invalid", String(Boolean(sentence)));
    if (!command.pills.some((one) => one.node.classList.contains("wrong"))) say("");
  }

  function nextGap() {
    return command.pills.find((pill) => !pill.input.value)?.input ?? command.tail;
  }

  function focused() {
    return command?.pills.find((pill) => pill.input === document.activeElement) ?? null;
  }

  // ---- what the list offers

  function refresh() {
    stopAsking();
    const pill = focused();
    if (pill) suggestValues(pill);
    else suggestOptions();
  }

  function suggestOptions() {
    const typed = command.tail.value.trim().toLowerCase();
    const free = command.leaf.options.filter((option) => !command.pills.some((pill) => pill.option === option));
    const rows = free.filter((option) => option.name.startsWith(typed)).map((option) => ({
      title: option.name, detail: option.description, side: typeName(option), onPick: () => open(option),
    }));
    if (rows.length) suggest.show("OPTIONS", rows, { start: typed ? 0 : -1 });
    else suggest.hide();
  }

  function suggestValues(pill) {
    if (pill.picked) return suggest.hide();
    if (pill.option.autocomplete) return askBot(pill);
    const typed = pill.input.value.trim().toLowerCase();
    const choices = fixedChoices(pill.option, known());
    const found = (choices ?? []).filter((one) => one.name.toLowerCase().includes(typed));
    const empty = choices ? "No options match your search." : typeHint(pill.option);
    return showChoices(pill, found, empty);
  }

  function showChoices(pill, choices, empty) {
    const rows = choices.map((choice) => ({ title: choice.name, choice, onPick: () => pick(pill, choice) }));
    const head = `${pill.option.name.toUpperCase()} · ${pill.option.description}`;
    suggest.show(head, rows, { note: rows.length ? null : empty });
  }

  function askBot(pill) {
    const turn = asked;
    if (!suggest.current?.choice) showChoices(pill, [], "Loading options…");
    timer = setTimeout(async () => {
      const typed = { option: pill.option, value: pill.input.value, focused: true };
      const choices = await complete(command.leaf, wireOptions(command.leaf, [...given(pill), typed]));
      if (turn === asked) showChoices(pill, choices ?? [], choices ? "No options match your search." : "Loading options failed.");
    }, AUTOCOMPLETE_MS);
  }

  // ---- sending

  function read(pill) {
    return readValue(pill.option, pill.input.value, pill.picked, known());
  }

  /** The options that have a value by now, without the one being typed. */
  function given(except = null) {
    const others = command.pills.filter((pill) => pill !== except);
    return others.map((pill) => ({ option: pill.option, value: read(pill).value })).filter((one) => one.value !== undefined);
  }

  function send() {
    const { leaf, pills, tail } = command;
    for (const pill of pills) mark(pill, read(pill).problem);
    const wrong = pills.find((pill) => read(pill).problem);
    if (wrong) {
      wrong.input.focus();
      return say(read(wrong).problem);
    }
    if (tail.value.trim()) return say(`/${leaf.name} has no option for “${tail.value.trim()}”.`);
    return finish(leaf, wireOptions(leaf, given()));
  }

  /** Whether what stands in a pill is already the choice that Enter would take, so that Enter may send. */
  function settled(pill) {
    if (suggest.chosen || !suggest.current.choice) return false;
    const choice = choiceNamed([suggest.current.choice], pill.input.value);
    if (choice) pill.picked = choice;
    return Boolean(choice);
  }

  // ---- typing

  function onPillInput(pill) {
    pill.picked = null;
    const { pairs, loose } = argumentsInText(command.leaf, pill.input.value);
    const next = pairs.find(({ option }) => option !== pill.option);
    if (next) pill.input.value = loose;
    fit(pill);
    mark(pill, "");
    if (next) open(next.option, next.text);
    else refresh();
  }

  function onTailInput() {
    const { pairs } = argumentsInText(command.leaf, command.tail.value);
    for (const { option, text } of pairs) open(option, text);
    if (!pairs.length) refresh();
  }

  return {
    begin,
    end,
    refresh,
    send,
    get leaf() {
      return command?.leaf ?? null;
    },
    focusTail: () => command.tail.focus(),
    onInput(input) {
      const pill = command.pills.find((one) => one.input === input);
      if (pill) onPillInput(pill);
      else onTailInput();
    },
    onEnter() {
      const pill = focused();
      if (suggest.current && !(pill && settled(pill))) suggest.current.onPick();
      else send();
    },
    onBackspace(event) {
      const input = document.activeElement;
      if (input.value) return;
      event.preventDefault();
      const pill = focused();
      if (pill && !pill.option.required) remove(pill);
      else if (!pill && command.pills.length) command.pills.at(-1).input.focus();
      else leave(`/${command.leaf.name}`);
    },
    /** Tab in the empty tail takes the first option that is still free. */
    wantsFirst: () => !focused(),
  };
}

function fit({ input }) {
  input.style.setProperty("width", `${Math.max(2, input.value.length + 1)}ch`);
}

function inputMode(option) {
  return { 4: "numeric", 10: "decimal" }[option.type] ?? "text";
}

function typeHint(option) {
  const bounds = [option.min_value, option.max_value];
  const range = bounds.every((one) => one !== undefined && one !== null) ? ` from ${bounds[0]} to ${bounds[1]}` : "";
  return `Enter a ${typeName(option)}${range}${option.required ? "." : ", or leave it empty."}`;
}
