// A reply's blocks as elements. Spans arrive as data, not mark-up, and stay text.

import { el, icon } from "./dom.js";
import { words } from "./i18n.js";
import { openPassage } from "./passage.js";

const COPY = "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z";

// Longer cells wrap, so that one sentence does not push the other columns out of sight.
const LONG_CELL_CHARS = 40;

// What TWS prints, by what it means for the reader.
const TONES = {
  good: ["SUCC", "SUCCESSFUL", "SUCCP", "COMPLETED", "DUMMY_COMPLETED"],
  danger: ["ABEND", "ABENP", "FAIL", "ERROR", "STUCK"],
  warning: ["LATE", "HOLD", "HELD", "SUSP", "CANCL", "CANCELED", "CANCLP", "BLOCKED", "UNDECIDED", "PEND", "FENCE"],
  info: ["EXEC", "RUNNING", "INTRO", "READY", "WAIT", "WAITING", "ADD", "SCHED", "EXTRN"],
};
const TONE_OF = new Map(Object.entries(TONES).flatMap(([tone, names]) => names.map((name) => [name, tone])));

const RENDERERS = { text, bullets, facts, table, code, citations, buttons, notice, steps };
const STEP_TONES = { done: "good", failed: "danger", skipped: "warning" };

// All blocks in order, but for the consequences of `proposal`, which its own card shows. `say(value)` is
// called by buttons that stand for words.
export function renderBlocks(blocks, { say, proposal }) {
  const shown = blocks.filter((block) => !proposal || !tellsConsequences(block, proposal));
  const sources = blocks.flatMap((block) => (block.kind === "citations" ? block.items : []));
  return shown.map((block) => RENDERERS[block.kind](block, { say, sources })).filter(Boolean);
}

function tellsConsequences(block, { consequences }) {
  const lines = block.kind === "bullets" && block.items.map((item) => item.spans.map((span) => span.text).join(""));
  return lines && lines.join("\n") === consequences.join("\n");
}

function text(block, { sources }) {
  return el("p", {}, spans(block.spans, sources));
}

function spans(items, sources) {
  return joined(items).map((span) => {
    if (span.style === "strong") return el("strong", {}, span.text);
    if (span.style === "code") return el("code", {}, span.text);
    return referenced(span.text, sources);
  });
}

// Neighbours of one style as one span: a reference may be made of several.
function joined(items) {
  const runs = [];
  for (const { text: piece, style } of items) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += piece;
    else runs.push({ text: piece, style });
  }
  return runs;
}

// Plain text in which the number of a source, such as [2], opens it.
function referenced(value, sources) {
  return value.split(/(\[\d{1,2}\])/).map((part) => {
    const number = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
    const citation = sources[number - 1];
    return citation ? el("button", { type: "button", class: "reference", ...opens(citation, number) }, String(number)) : part;
  });
}

function bullets(block, { sources }) {
  const items = block.items.map((item) => el("li", {}, spans(item.spans, sources)));
  return el(block.numbered ? "ol" : "ul", { class: "bullets" }, items);
}

function card(kind, title, ...children) {
  return el(
    "section",
    { class: `card card-${kind}`, "data-testid": "card", "data-kind": kind, "aria-label": title || null },
    title ? el("h3", { class: "card-title" }, title) : null,
    children,
  );
}

function facts(block) {
  const rows = block.items.map(([label, value]) => el("div", { class: "fact" }, el("dt", {}, label), el("dd", {}, cell(value))));
  return card("facts", block.title, el("dl", { class: rows.length > 4 ? "facts facts-many" : "facts" }, rows));
}

function table(block) {
  const head = el("tr", {}, block.columns.map((name) => el("th", { scope: "col" }, name)));
  const rows = block.rows.map((row) => el("tr", {}, row.map((value) => el("td", { class: value.length > LONG_CELL_CHARS ? "long" : null }, cell(value)))));
  const grid = el("table", {}, el("thead", {}, head), el("tbody", {}, rows));
  const label = block.title || block.columns.join(", ");
  return card("table", block.title, el("div", { class: "table-scroll", role: "region", tabindex: "0", "aria-label": label }, grid));
}

// A status stands out, everything else is plain.
function cell(value) {
  const tone = TONE_OF.get(value);
  return tone ? el("span", { class: `status tone-${tone}` }, value) : value;
}

function code(block) {
  const copy = el("button", { type: "button", class: "quiet small" }, icon(COPY), el("span", {}, words("copy")));
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.text);
    copy.lastChild.textContent = words("copied");
  });
  const bar = el("div", { class: "code-bar" }, el("span", { class: "code-caption" }, block.caption), navigator.clipboard ? copy : null);
  return card("code", "", bar, el("pre", { tabindex: "0" }, el("code", {}, block.text)));
}

function citations(block) {
  if (block.items.length === 0) return null;
  const items = block.items.map((citation, index) =>
    el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: "citation",
          "data-testid": "citation",
          ...opens(citation, index + 1),
        },
        el("span", { class: "citation-number" }, String(index + 1)),
        el(
          "span",
          { class: "citation-text" },
          el("span", { class: "citation-title" }, citation.document_title, el("span", { class: "citation-location" }, place(citation))),
          el("span", { class: "citation-quote" }, citation.quote),
        ),
      ),
      citation.link ? el("a", { class: "citation-link", href: citation.link, target: "_blank", rel: "noopener noreferrer" }, words("readOriginal")) : null,
    ),
  );
  return card("citations", words("sources"), el("ol", { class: "citations" }, items));
}

function place({ location, page }) {
  return page && !location.endsWith(` ${page}`) ? `${location} · p. ${page}` : location;
}

function opens(citation, number) {
  return {
    "aria-label": words("openSource", { number, title: citation.document_title }),
    on: { click: () => openPassage(citation) },
  };
}

// Approving and rejecting belong to the proposal's own card, which shows the consequences.
function buttons(block, { say }) {
  const row = block.items
    .filter((item) => item.verb === "say")
    .map((item) =>
      el("button", { type: "button", class: `choice choice-${item.style}`, on: { click: () => say(item.value) } }, item.label),
    );
  return row.length ? el("div", { class: "choices", "data-testid": "card", "data-kind": "buttons" }, row) : null;
}

function notice(block) {
  return el("p", { class: `notice tone-${block.level}`, "data-testid": "card", "data-kind": "notice" }, block.text);
}

// A tree: each task is drawn under the last one that is one level higher.
function steps(block) {
  const root = el("ul", { class: "steps" });
  const lists = [root];
  for (const { title, state, depth, detail } of block.items) {
    const parent = lists[Math.min(depth, lists.length) - 1];
    const below = el("ul", {});
    const label = el("span", { class: `step tone-${STEP_TONES[state]}` }, title, detail ? el("small", {}, ` ${detail}`) : "");
    parent.append(el("li", {}, label, below));
    lists.length = Math.min(depth, lists.length);
    lists.push(below);
  }
  return el("details", { "data-testid": "card", "data-kind": "steps" }, el("summary", {}, block.title), root);
}
