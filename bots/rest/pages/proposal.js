// A proposed change: what will happen, who may decide, and the outcome in its place.

import { announce, el, randomId } from "./dom.js";
import { locale, words } from "./i18n.js";
import { mayDecide } from "./session.js";
import { followTurn } from "./turns.js";

const TONE_OF = { confirmed: "good", different: "warning", unknown: "warning", rejected: "info", refused: "danger", expired: "info" };

// The card; `outcome` is shown at once when it is known, `onOutcome(outcome)` is called when it becomes known.
export function renderProposal(proposal, { outcome, onOutcome }) {
  const foot = el("div", { class: "proposal-foot" });
  const card = el(
    "section",
    { class: "card proposal", "data-testid": "proposal", "aria-label": words("proposed") },
    el(
      "header",
      { class: "proposal-head" },
      el("p", { class: "overline" }, words("proposed")),
      el("h3", {}, el("span", { class: "proposal-action" }, words(`actions.${proposal.action}`) ?? proposal.action), el("code", {}, proposal.target)),
    ),
    el("h4", {}, words("consequences")),
    el("ul", { class: "bullets" }, proposal.consequences.map((line) => el("li", {}, line))),
    proposal.requires === "second_person" ? el("p", { class: "proposal-rule" }, words("requiresSecond")) : null,
    foot,
  );
  if (outcome) showOutcome(foot, outcome);
  else if (mayDecide()) askForDecision(foot, proposal, onOutcome);
  else foot.append(el("p", { class: "muted" }, words("mayNotDecide")), countdown(proposal));
  return card;
}

function askForDecision(foot, proposal, onOutcome) {
  const reason = el("input", { id: `reason-${proposal.id}`, class: "reason", maxlength: "500", placeholder: words("reasonPlaceholder"), autocomplete: "off" });
  const note = el("p", { class: "form-error", role: "alert", hidden: true });
  const decide = (decision) => send(foot, proposal, { decision, reason: reason.value.trim() }, { note, onOutcome });
  foot.replaceChildren(
    el("label", { for: reason.id }, words("reason")),
    reason,
    note,
    el(
      "div",
      { class: "proposal-buttons" },
      countdown(proposal),
      el("button", { type: "button", class: "secondary", "data-testid": "reject", on: { click: () => decide("reject") } }, words("reject")),
      el("button", { type: "button", class: "primary", "data-testid": "approve", on: { click: () => decide("approve") } }, words("approve")),
    ),
  );
}

async function send(foot, proposal, { decision, reason }, { note, onOutcome }) {
  const form = [...foot.children];
  const status = el("span", {}, words("deciding"));
  foot.replaceChildren(el("p", { class: "working", role: "status" }, el("span", { class: "spinner" }), status));
  const turn = {
    path: `/api/v1/proposals/${proposal.id}/decision`,
    body: { decision, reason, locale: locale() },
    key: randomId(),
  };
  const say = (line) => {
    status.textContent = line;
  };
  try {
    const answer = await followTurn(turn, { accepted() {}, progress: say, delta() {}, reconnecting: () => say(words("reconnecting")) });
    // A resumed turn answers as a turn, a fresh one as a decision.
    const outcome = answer.outcome ?? answer;
    showOutcome(foot, outcome);
    onOutcome(outcome);
  } catch (problem) {
    foot.replaceChildren(...form);
    note.textContent = words(`problems.${problem.code}`) ?? problem.message;
    note.hidden = false;
  }
}

function showOutcome(foot, { state, detail }) {
  foot.replaceChildren(
    el(
      "div",
      { class: `outcome tone-${TONE_OF[state]}`, "data-testid": "outcome", "data-state": state, tabindex: "-1" },
      el("strong", {}, words(state)),
      el("span", {}, detail),
    ),
  );
  announce(`${words(state)}. ${detail}`);
}

// Counts down by the second until the card leaves the page or the time is over.
function countdown(proposal) {
  const element = el("span", { class: "countdown" });
  const ends = Date.parse(proposal.expires_at);
  const tick = () => {
    const seconds = Math.max(0, Math.round((ends - Date.now()) / 1000));
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    element.textContent = seconds ? words("expiresIn", { time }) : words("expired");
    if (seconds) setTimeout(() => element.isConnected && tick(), 1000);
  };
  tick();
  return element;
}
