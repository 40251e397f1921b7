// Slash commands as data: the flat list a person chooses from, what typed text means, and the option objects for the wire.

export const SUB_COMMAND = 1;
export const SUB_COMMAND_GROUP = 2;
export const STRING = 3;
export const INTEGER = 4;
export const BOOLEAN = 5;
export const USER = 6;
export const CHANNEL = 7;
export const NUMBER = 10;
const CHAT_INPUT = 1;
const TYPE_NAMES = { 3: "text", 4: "whole number", 5: "true or false", 6: "user", 7: "channel", 8: "role", 10: "number" };
const BOOLEANS = [{ name: "True", value: true }, { name: "False", value: false }];

/** One entry per thing that can be run, in the order in which the bot sent them: `/gex status`, `/stream symbols add`, … */
export function leavesOf(commands) {
  return commands
    .filter((command) => (command.type ?? CHAT_INPUT) === CHAT_INPUT)
    .flatMap((command) => walk(command, command, []));
}

function walk(command, node, above) {
  const steps = [...above, node];
  const options = node.options ?? [];
  const inner = options.filter((one) => one.type === SUB_COMMAND || one.type === SUB_COMMAND_GROUP);
  if (inner.length) return inner.flatMap((one) => walk(command, one, steps));
  const name = steps.map((one) => one.name).join(" ");
  return [{ commandId: command.id, name, steps: steps.slice(1), description: node.description, options }];
}

/** The commands that fit what stands after the slash, best first. */
export function searchLeaves(leaves, query) {
  const words = query.trim().toLowerCase();
  const scored = leaves.map((leaf) => ({ leaf, rank: rank(leaf, words) })).filter((one) => one.rank < 9);
  return scored.sort((one, other) => one.rank - other.rank).map((one) => one.leaf);
}

function rank(leaf, words) {
  if (leaf.name === words) return 0;
  if (leaf.name.startsWith(words)) return 1;
  if (leaf.name.split(" ").some((part) => part.startsWith(words))) return 2;
  if (leaf.name.includes(words)) return 3;
  return (leaf.description ?? "").toLowerCase().includes(words) ? 4 : 9;
}

/** `{leaf, rest}` when the text begins with the full name of a command; the longest name wins. */
export function leafInText(leaves, text) {
  const typed = text.replace(/^\/\s*/, "");
  const fits = leaves.filter((leaf) => typed === leaf.name || typed.startsWith(`${leaf.name} `));
  const leaf = fits.sort((one, other) => other.name.length - one.name.length)[0];
  return leaf ? { leaf, rest: typed.slice(leaf.name.length) } : null;
}

/** Typed `name:value name:value` pairs, and what belongs to no option. */
export function argumentsInText(leaf, rest) {
  const names = leaf.options.map((option) => option.name.replace(/[^\w-]/g, "\\$&"));
  if (!names.length) return { pairs: [], loose: rest.trim() };
  const marks = [...rest.matchAll(new RegExp(`(?:^|\\s)(${names.join("|")}):`, "g"))];
  const pairs = marks.map((mark, index) => ({
    option: leaf.options.find((option) => option.name === mark[1]),
    text: rest.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? rest.length).trim(),
  }));
  return { pairs, loose: rest.slice(0, marks[0]?.index ?? rest.length).trim() };
}

/** What may be picked for an option without asking the bot; null when it is free text. */
export function fixedChoices(option, { users, channels }) {
  if (option.type === BOOLEAN) return BOOLEANS;
  if (option.type === USER) return users.map((user) => ({ name: `@${user.name}`, value: user.id }));
  if (option.type === CHANNEL) return channels.filter((channel) => !channel.direct).map((channel) => ({ name: `#${channel.name}`, value: channel.id }));
  return option.choices?.length ? option.choices : null;
}

/** The choice that a text names, without regard to case or to a leading @ or #. */
export function choiceNamed(choices, text) {
  const wanted = bare(text);
  return choices.find((one) => bare(one.name) === wanted || bare(String(one.value)) === wanted) ?? null;
}

function bare(text) {
  return text.trim().toLowerCase().replace(/^[@#]/, "");
}

/** `{value}` for the wire, or `{problem}` with the sentence that tells a person what is accepted. */
export function readValue(option, text, picked, known) {
  if (!text.trim()) return option.required ? { problem: "This option is required." } : { value: undefined };
  const choices = fixedChoices(option, known);
  if (choices) {
    const choice = picked ?? choiceNamed(choices, text);
    return choice ? { value: choice.value } : { problem: `Choose one of the options for ${option.name}.` };
  }
  if (picked) return { value: picked.value };
  if (option.type === INTEGER || option.type === NUMBER) return readNumber(option, text);
  return option.type === STRING ? readString(option, text) : { problem: `${option.name} cannot be entered here.` };
}

function readNumber(option, text) {
  const value = Number(text);
  const whole = option.type === INTEGER;
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    return { problem: `Enter a valid ${whole ? "integer" : "number"} for ${option.name}.` };
  }
  if (value < (option.min_value ?? -Infinity)) return { problem: `${option.name} must be at least ${option.min_value}.` };
  if (value > (option.max_value ?? Infinity)) return { problem: `${option.name} must be at most ${option.max_value}.` };
  return { value };
}

function readString(option, text) {
  if (text.length < (option.min_length ?? 0)) return { problem: `${option.name} needs at least ${option.min_length} characters.` };
  if (text.length > (option.max_length ?? 6000)) return { problem: `${option.name} takes at most ${option.max_length} characters.` };
  return { value: text };
}

/** The nested option objects of an interaction: groups and subcommands around the values. */
export function wireOptions(leaf, values) {
  const inner = values.map(({ option, value, focused }) => {
    const wire = { name: option.name, type: option.type, value };
    return focused ? { ...wire, focused: true } : wire;
  });
  return leaf.steps.reduceRight((options, step) => [{ name: step.name, type: step.type, options }], inner);
}

export function typeName(option) {
  return option.choices?.length ? "choice" : (TYPE_NAMES[option.type] ?? "value");
}
