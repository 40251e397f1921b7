// A modal that the bot opened: a real <dialog>, so focus stays inside and Escape closes it.
import { LABEL, ROW, STRING_SELECT, TEXT_DISPLAY, TEXT_INPUT } from "./components.js";
import { h, icon } from "./dom.js";
import { markdownNodes } from "./markdown.js";

const PARAGRAPH = 2;
const NO_NAMES = { users: [], channels: [] };

/** Shows the form; `onSubmit(components)` answers an error sentence, or null when the bot took it. */
export function openModal({ title, components }, { botName, onSubmit }) {
  const entries = components.map(entryOf);
  const problem = h("p", { class: "modal-problem", role: "alert" });
  const form = h("form", { class: "modal-form", novalidate: true }, entries.map((one) => one.node), problem, buttons());
  const dialog = h("dialog", { class: "modal", "aria-label": title }, head(title), note(botName), form);
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!entries.map((one) => one.check()).every(Boolean)) return;
    problem.textContent = (await onSubmit(entries.map((one) => one.value()).filter(Boolean))) ?? "";
    if (!problem.textContent) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("input, textarea, select")?.focus();
}

function head(title) {
  const close = { class: "icon-button", type: "button", "aria-label": "Close", dataset: { close: "" } };
  return h("header", { class: "modal-head" }, h("h2", {}, title), h("button", close, icon("close", 24)));
}

function note(botName) {
  return h("p", { class: "modal-note" }, `This form goes to ${botName}. Do not share passwords or other secrets with strangers.`);
}

function buttons() {
  const cancel = h("button", { class: "button plain", type: "button", dataset: { close: "" } }, "Cancel");
  return h("footer", { class: "modal-buttons" }, cancel, h("button", { class: "button primary", type: "submit" }, "Submit"));
}

function entryOf(component) {
  if (component.type === ROW) return field(component.components[0], component.components[0], inRow);
  if (component.type === LABEL) return field(component.component, component, inLabel(component));
  const text = component.type === TEXT_DISPLAY ? markdownNodes(component.content ?? "", NO_NAMES) : [];
  return { node: h("div", { class: "modal-text" }, text), check: () => true, value: () => null };
}

function inRow(value) {
  return { type: ROW, components: [value] };
}

function inLabel(component) {
  return (value) => ({ type: LABEL, id: component.id, component: value });
}

/** One question: label, input, and the sentence that says what is wrong with the answer. */
function field(component, labelled, wrap) {
  const input = component.type === STRING_SELECT ? choiceInput(component) : textInput(component);
  const required = component.required ?? true;
  const star = required ? h("span", { class: "required", "aria-hidden": "true" }, " *") : null;
  const wrong = h("p", { class: "field-problem", role: "alert" });
  const detail = labelled.description ? h("small", { class: "field-detail" }, labelled.description) : null;
  const node = h("label", { class: "modal-field" }, h("span", { class: "modal-label" }, labelled.label, star), detail, input, wrong);
  const check = () => {
    wrong.textContent = problemOf(component, input.value, required);
    input.setAttribute("aria-invalid", String(Boolean(wrong.textContent)));
    return !wrong.textContent;
  };
  input.addEventListener("input", () => wrong.textContent && check());
  return { node, check, value: () => wrap(answer(component, input)) };
}

function answer(component, input) {
  const base = { type: component.type, custom_id: component.custom_id };
  if (component.id !== undefined) base.id = component.id;
  if (component.type !== STRING_SELECT) return { ...base, value: input.value };
  return { ...base, values: [...input.selectedOptions].map((one) => one.value).filter(Boolean) };
}

function textInput(component) {
  const props = {
    name: component.custom_id,
    placeholder: component.placeholder,
    maxlength: component.max_length ?? 4000,
    required: component.required ?? true,
    autocomplete: "off",
  };
  if (component.style === PARAGRAPH) return h("textarea", { ...props, rows: "4" }, component.value ?? "");
  return h("input", { ...props, type: "text", value: component.value ?? "" });
}

function choiceInput(component) {
  const first = h("option", { value: "" }, component.placeholder ?? "Make a selection");
  const rest = (component.options ?? []).map((one) => h("option", { value: one.value, selected: one.default }, one.label));
  const many = (component.max_values ?? 1) > 1;
  return h("select", { name: component.custom_id, multiple: many }, many ? rest : [first, ...rest]);
}

function problemOf(component, value, required) {
  if (!value) return required ? "This field is required." : "";
  if (component.type !== TEXT_INPUT) return "";
  if (value.length < (component.min_length ?? 0)) return `Must be ${component.min_length} or more in length.`;
  return value.length > (component.max_length ?? 4000) ? `Must be ${component.max_length} or fewer in length.` : "";
}
