// The panel that shows where a statement comes from.

import { byId, el } from "./dom.js";
import { words } from "./i18n.js";
import { authorized } from "./session.js";

let shown = null;

// Opens the cited section with the quotation marked; the quotation alone if there is no document behind it.
export async function openPassage(citation) {
  shown = citation;
  byId("passage-title").textContent = citation.document_title;
  byId("passage-location").textContent = citation.location;
  show(el("blockquote", {}, citation.quote));
  const dialog = byId("passage");
  if (!dialog.open) dialog.showModal();
  // A kind before the colon (a job log, the plan) says that it is no stored document.
  if (citation.document_id.includes(":")) return;
  try {
    const response = await authorized(`/api/v1/rag/documents/${encodeURIComponent(citation.document_id)}`);
    const { passages } = await response.json();
    if (shown === citation) showSection(passages, citation);
  } catch (error) {
    if (shown === citation && error.status !== 404) {
      show(el("p", { class: "notice tone-warning" }, words("documentGone")), el("blockquote", {}, citation.quote));
    }
  }
}

export function preparePassage() {
  const dialog = byId("passage");
  byId("passage-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

function showSection(passages, citation) {
  const pattern = quotePattern(citation.quote);
  const section = passages.filter((passage) => passage.location === citation.location);
  const found = section.length ? section : passages.filter((passage) => pattern?.test(passage.text));
  if (found.length === 0) return;
  show(...found.map((passage) => el("p", { class: "passage-text" }, marked(passage.text, pattern))));
  byId("passage-body").querySelector("mark")?.scrollIntoView({ block: "center" });
}

function show(...nodes) {
  byId("passage-body").replaceChildren(...nodes);
}

// Between two words of a quotation: blanks, and the mark of a list item that the quotation left out.
const GAP = "\\s+(?:(?:\\d{1,3}[.)]|[-*•])\\s+)?";

// Finds the quotation whatever its line breaks; null for an empty one.
function quotePattern(quote) {
  const bare = quote.replace(/^[…\s]+|[…\s]+$/g, "");
  if (!bare) return null;
  return new RegExp(bare.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(GAP), "u");
}

function marked(text, pattern) {
  const match = pattern && pattern.exec(text);
  if (!match) return [text];
  const end = match.index + match[0].length;
  return [text.slice(0, match.index), el("mark", {}, match[0]), text.slice(end)];
}
