// The conversation: questions, streamed answers and what is kept of them in this tab.

import { renderBlocks } from "./blocks.js";
import { announce, byId, el, randomId } from "./dom.js";
import { renderFeedback } from "./feedback.js";
import { locale, onLocaleChange, words } from "./i18n.js";
import { renderProposal } from "./proposal.js";
import { followTurn } from "./turns.js";

const KEY = "resync.conversation";
const MAX_ENTRIES = 100;

// entries: {question}, {turn} while it runs, then {answer, steps, outcome?, said?} or {turn, problem}.
let conversation = { id: null, entries: [] };
const elements = new WeakMap();

export function prepareChat() {
  const input = byId("input");
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    say(input.value);
  });
  input.addEventListener("keydown", (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    say(input.value);
  });
  input.addEventListener("input", fitInput);
  byId("new-conversation").addEventListener("click", () => {
    conversation = { id: null, entries: [] };
    keep();
    show();
    input.focus();
  });
  onLocaleChange(show);
}

// Shows what this tab remembers; a turn that ran when the page went away is resumed.
export function openChat() {
  conversation = JSON.parse(sessionStorage.getItem(KEY) ?? "null") ?? { id: null, entries: [] };
  show();
  byId("input").focus();
  if (isRunning()) follow(conversation.entries.at(-1));
}

function isRunning() {
  const last = conversation.entries.at(-1);
  return Boolean(last?.turn) && !last.problem;
}

// Asks; the words of a button are in the language of the page, typed ones speak for themselves.
function say(value, { button = false } = {}) {
  const message = value.trim();
  if (!message || isRunning()) return;
  const body = { message, conversation_id: conversation.id, ...(button ? { locale: locale() } : {}) };
  const entry = { turn: { path: "/api/v1/chat", body, key: randomId() } };
  byId("input").value = "";
  fitInput();
  add({ question: message });
  add(entry);
  follow(entry);
}

function add(entry) {
  conversation.entries.push(entry);
  for (const old of conversation.entries.splice(0, conversation.entries.length - MAX_ENTRIES)) elements.get(old)?.remove();
  keep();
  byId("welcome").hidden = true;
  byId("messages").append(place(entry));
  byId("send").disabled = isRunning();
  scrollDown();
}

// Follows the entry's turn to its answer.
async function follow(entry) {
  const mine = conversation;
  const live = liveMessage();
  const old = elements.get(entry);
  elements.set(entry, live.element);
  old.replaceWith(live.element);
  scrollDown();
  try {
    const answer = await followTurn(entry.turn, { ...live, accepted: keep });
    mine.id = answer.conversation_id;
    Object.assign(entry, { answer, steps: live.steps, turn: undefined });
    announce(answer.reply.plain_text);
  } catch (problem) {
    entry.problem = { code: problem.code ?? "internal", detail: problem.message };
    announce(problemText(entry.problem));
  }
  // Another conversation may have been begun meanwhile, or the person may have gone.
  if (mine !== conversation) return;
  keep();
  const element = place(entry);
  live.element.replaceWith(element);
  byId("send").disabled = isRunning();
  scrollTo(element);
}

function show() {
  const { entries } = conversation;
  byId("welcome").hidden = entries.length > 0;
  byId("messages").replaceChildren(...entries.map((entry) => (entry.turn && !entry.problem && elements.get(entry)) || place(entry)));
  byId("suggestions").replaceChildren(
    ...words("suggestions").map((text) =>
      el("li", {}, el("button", { type: "button", class: "suggestion", on: { click: () => say(text) } }, text)),
    ),
  );
  byId("input").placeholder = words("inputPlaceholder");
  byId("input").setAttribute("aria-label", words("inputLabel"));
  byId("send").disabled = isRunning();
  scrollDown();
}

// A new element for the entry as it is now.
function place(entry) {
  const element = entry.question ? question(entry) : entry.answer ? answer(entry) : entry.problem ? failure(entry) : message("resync");
  elements.set(entry, element);
  return element;
}

function message(author, ...children) {
  return el("li", { class: `message message-${author}`, "data-testid": "message", "data-author": author }, children);
}

function question(entry) {
  return message("you", el("span", { class: "unseen" }, words("you")), el("p", { class: "bubble" }, entry.question));
}

function answer(entry) {
  const { reply, proposal, degraded, agent } = entry.answer;
  const change = (changes) => {
    const element = elements.get(entry);
    Object.assign(entry, changes);
    keep();
    element.replaceWith(place(entry));
  };
  const onOutcome = (outcome) => {
    change({ outcome });
    // The pressed button is gone, and the focus with it.
    if (document.activeElement === document.body) elements.get(entry).querySelector(".outcome").focus({ preventScroll: true });
  };
  return message(
    "resync",
    byline(agent),
    degraded.length ? el("p", { class: "degraded", "data-testid": "degraded", role: "note" }, degradedText(degraded)) : null,
    renderBlocks(reply.blocks, { say: (value) => say(value, { button: true }), proposal }),
    proposal ? renderProposal(proposal, { outcome: entry.outcome, onOutcome }) : null,
    entry.steps?.length
      ? el("details", { class: "steps" }, el("summary", {}, `${words("steps")} (${entry.steps.length})`), el("ol", {}, entry.steps.map((step) => el("li", {}, step))))
      : null,
    proposal ? null : renderFeedback(entry.answer, { said: entry.said, onSaid: (said) => change({ said }) }),
  );
}

function byline(agent) {
  return el("p", { class: "byline" }, "Resync", agent ? el("span", { class: "agent" }, agent) : null);
}

function failure(entry) {
  const again = () => {
    delete entry.problem;
    byId("send").disabled = true;
    follow(entry);
  };
  const button = el("button", { type: "button", class: "secondary", "data-testid": "try-again", on: { click: again } }, words("tryAgain"));
  const isLast = entry === conversation.entries.at(-1);
  return message("resync", byline(""), el("p", { class: "notice tone-danger" }, problemText(entry.problem)), isLast ? button : null);
}

// The message while its turn runs: the latest step, and the answer as it grows.
function liveMessage() {
  const status = el("span", {}, words("working"));
  const growing = el("p", { class: "growing" });
  const steps = [];
  const change = (apply) => {
    const wasAtEnd = isAtEnd();
    apply();
    if (wasAtEnd) scrollDown();
  };
  const tell = (line) =>
    change(() => {
      status.textContent = line;
    });
  const element = message("resync", byline(""), growing, el("p", { class: "working", role: "status" }, el("span", { class: "spinner" }), status));
  element.setAttribute("aria-busy", "true");
  return {
    element,
    steps,
    progress(line) {
      steps.push(line);
      tell(line);
    },
    delta: (piece) => change(() => growing.append(piece)),
    reconnecting: () => tell(words("reconnecting")),
  };
}

function degradedText(names) {
  return words("degraded", { parts: names.map((name) => words(`parts.${name}`) ?? name).join("; ") });
}

function problemText({ code, detail }) {
  return words(`problems.${code}`) ?? detail;
}

function keep() {
  sessionStorage.setItem(KEY, JSON.stringify(conversation));
}

// Shows the end of a short answer, the beginning of a long one.
function scrollTo(element) {
  const scroll = byId("scroll");
  const isLong = element.offsetHeight > scroll.clientHeight;
  scroll.scrollTop = isLong ? element.offsetTop - 16 : scroll.scrollHeight;
}

function isAtEnd() {
  const { scrollTop, clientHeight, scrollHeight } = byId("scroll");
  return scrollHeight - scrollTop - clientHeight < 80;
}

function scrollDown() {
  const scroll = byId("scroll");
  scroll.scrollTop = scroll.scrollHeight;
}

function fitInput() {
  const input = byId("input");
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}
