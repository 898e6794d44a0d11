// Thumbs under an answer, and a form for how it is right.

import { el, icon } from "./dom.js";
import { words } from "./i18n.js";
import { authorized } from "./session.js";

const THUMB = "M5 7v6.5H2.5V7zM5 7l2.5-5c1.2 0 1.8.8 1.6 2L8.7 6.5h3.6c.9 0 1.4.8 1.2 1.6l-1.1 4.2c-.2.7-.7 1.2-1.4 1.2H5";

// The row under `answer`. `said` is what the person said of it before; `onSaid({verdict, correction})` follows
// once the server has it.
export function renderFeedback(answer, { said, onSaid }) {
  const note = el("span", { class: "feedback-note", role: "status" }, said ? words(said.correction ? "feedbackSent" : "feedbackThanks") : "");
  const send = async (verdict, correction = "") => {
    try {
      await authorized("/api/v1/feedback", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ turn_id: answer.turn_id, verdict, correction }),
      });
      onSaid({ verdict, correction });
    } catch (problem) {
      note.textContent = words(`problems.${problem.code}`) ?? problem.message;
    }
  };
  const thumb = (verdict) =>
    el(
      "button",
      {
        type: "button",
        class: `thumb thumb-${verdict}`,
        "data-testid": `feedback-${verdict}`,
        "aria-label": words(verdict === "good" ? "feedbackGood" : "feedbackBad"),
        "aria-pressed": String(said?.verdict === verdict),
        on: { click: () => send(verdict, verdict === "bad" ? (said?.correction ?? "") : "") },
      },
      icon(THUMB),
    );
  const row = el("div", { class: "feedback", "data-testid": "feedback" }, thumb("good"), thumb("bad"), note);
  return said?.verdict === "bad" ? [row, correctionForm(said, (correction) => send("bad", correction))] : [row];
}

function correctionForm({ correction }, send) {
  const input = el("textarea", {
    rows: "2",
    maxlength: "4000",
    "data-testid": "feedback-correction",
    "aria-label": words("feedbackCorrection"),
    placeholder: words("feedbackCorrection"),
  });
  input.value = correction;
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) send(input.value.trim());
  };
  return el("form", { class: "feedback-form", on: { submit } }, input, el("button", { type: "submit", class: "secondary", "data-testid": "feedback-send" }, words("feedbackSend")));
}
