// What is wrong now and how the plans stand, kept up to date by the server.

import { byId, el, randomId } from "./dom.js";
import { applyWords, locale, onLocaleChange, setLocale, words } from "./i18n.js";
import { authorized, session } from "./session.js";
import { events } from "./turns.js";

const PAUSE = 2000;
const FIGURES_EVERY = 60_000;
const TONES = { critical: "danger", high: "warning", medium: "info", low: "info" };
const CAUSES = new Set(["failed", "workstation", "plan", "late", "held"]);
const STATUSES = ["ABEND", "FAIL", "EXEC", "READY", "HOLD", "SUCC"];

let board = null;
let figures = null;
let opened = null; // {id, detail} of the incident that is shown whole

async function follow() {
  for (;;) {
    try {
      const response = await authorized("/api/v1/board", { headers: { Accept: "text/event-stream" } });
      live("live");
      for await (const event of events(response.body)) {
        if (event.name !== "board") continue;
        board = JSON.parse(event.data);
        showBoard();
      }
    } catch (problem) {
      if (problem.status === 401 || !session()) {
        signIn();
        return;
      }
      live("offline");
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

async function readFigures() {
  try {
    figures = await (await authorized("/api/v1/figures?days=30")).json();
    showFigures();
  } catch {
    // The next round tries again; the board itself says when the server is away.
  }
  setTimeout(readFigures, FIGURES_EVERY);
}

function showBoard() {
  byId("plans").replaceChildren(...board.plans.map(planOf));
  const worst = (one) => Object.keys(TONES).indexOf(one.severity);
  const active = board.incidents.filter((one) => !one.ended_at).sort((one, other) => worst(one) - worst(other));
  const over = board.incidents.filter((one) => one.ended_at);
  byId("incidents").replaceChildren(
    el("h1", {}, words("board.open"), el("span", { class: "muted" }, ` ${active.length}`)),
    active.length ? list(active) : el("p", { class: "muted" }, words("board.none")),
    over.length ? el("h2", {}, words("board.over"), el("span", { class: "muted" }, ` ${over.length}`)) : "",
    over.length ? list(over) : "",
  );
}

function planOf(plan) {
  const total = Object.values(plan.jobs).reduce((sum, count) => sum + count, 0);
  const known = [...STATUSES.filter((status) => plan.jobs[status]), ...Object.keys(plan.jobs).filter((status) => !STATUSES.includes(status))];
  return el(
    "article",
    { class: "plan", "data-engine": plan.engine },
    el("h2", {}, plan.engine, el("span", { class: "muted" }, ` ${words("board.asOf", { at: clock(plan.read_at) })}`)),
    el(
      "div",
      { class: "share", role: "img", "aria-label": known.map((status) => `${status} ${plan.jobs[status]}`).join(", ") },
      known.map((status) => {
        const part = el("i", { "data-status": status, title: `${status} ${plan.jobs[status]}` });
        part.style.flexGrow = plan.jobs[status] / total;
        return part;
      }),
    ),
    el("p", { class: "counts" }, known.map((status) => el("span", { "data-status": status }, el("b", {}, plan.jobs[status]), ` ${status}`))),
    el(
      "p",
      { class: "counts" },
      fact("board.late", plan.late, plan.late ? "warning" : ""),
      fact("board.lost", plan.lost.length, plan.lost.length ? "danger" : ""),
      plan.lost.length ? el("span", {}, plan.lost.join(", ")) : "",
    ),
  );
}

function fact(key, value, tone) {
  return el("span", { class: tone && `tone-${tone} toned` }, el("b", {}, value), ` ${words(key)}`);
}

function list(incidents) {
  return el("ul", { class: "incidents" }, incidents.map(incidentOf));
}

function incidentOf(one) {
  const isOpen = opened?.id === one.id;
  return el(
    "li",
    { "data-incident": one.id, class: `tone-${one.ended_at ? "good" : TONES[one.severity]}` },
    el("span", { class: "number muted" }, `#${one.id}`),
    el("span", { class: "severity" }, words(`board.severity.${one.severity}`)),
    el(
      "button",
      { type: "button", class: "title", "aria-expanded": String(isOpen), on: { click: () => toggle(one.id) } },
      breakable(titleOf(one)),
    ),
    el("span", { class: "state" }, words(`board.state.${one.state}`), one.assignee ? ` · ${one.assignee}` : ""),
    el("span", { class: "muted" }, words("board.since", { at: clock(one.ended_at ?? one.first_seen) })),
    el("span", { class: "muted" }, words("board.counts", { alerts: one.alerts, waiting: one.waiting })),
    el("span", { class: "do" }, mayChange() && !one.ended_at ? buttons(one) : ""),
    isOpen && opened.detail ? detailOf(opened.detail) : "",
  );
}

function buttons(one) {
  const steps = one.state === "open" ? ["acknowledge", "resolve"] : ["resolve"];
  return steps.map((step) =>
    el("button", { type: "button", class: "secondary small", on: { click: (event) => change(event.currentTarget, one.id, step) } }, words(`board.${step}`)),
  );
}

async function change(button, id, step) {
  button.disabled = true;
  try {
    await authorized(`/api/v1/incidents/${id}/${step}`, { method: "POST", headers: { "Idempotency-Key": randomId() } });
    if (opened?.id === id) await read(id);
  } catch (problem) {
    button.disabled = false;
    button.after(el("span", { class: "tone-danger toned", role: "alert" }, words(`problems.${problem.code}`) ?? problem.message));
  }
}

async function toggle(id) {
  opened = opened?.id === id ? null : { id, detail: null };
  if (opened) await read(id);
  showBoard();
}

async function read(id) {
  const detail = await (await authorized(`/api/v1/incidents/${id}`)).json();
  if (opened?.id === id) opened.detail = detail;
}

function detailOf(detail) {
  return el(
    "div",
    { class: "detail" },
    el("pre", { tabindex: "0" }, detail.investigation?.plain_text ?? words("board.investigating")),
    el(
      "ol",
      { class: "timeline" },
      detail.timeline.map((entry) =>
        el("li", {}, el("time", { datetime: entry.at }, clock(entry.at)), ` ${entry.kind} ${entry.detail}`, el("span", { class: "muted" }, ` ${entry.actor_id}`)),
      ),
    ),
  );
}

function showFigures() {
  if (!figures?.figures.length) {
    byId("figures").replaceChildren();
    return;
  }
  const columns = ["incidents", "acknowledged", "investigated", "restored", "noise", "alone"];
  byId("figures").replaceChildren(
    el("h2", {}, words("board.figures", { days: figures.days })),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": words("board.figures", { days: figures.days }) },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, words("board.stream")), columns.map((name) => el("th", { scope: "col" }, words(`board.figure.${name}`))))),
        el("tbody", {}, figures.figures.map((row, number) => figureOf(row, number === 0))),
      ),
    ),
  );
}

function figureOf(row, isWhole) {
  const cells = [row.incidents, span(row.acknowledged), span(row.investigated), span(row.restored), percent(row.noise), percent(row.without_people)];
  return el("tr", {}, el("th", { scope: "row" }, isWhole ? words("board.whole") : row.job_stream || "–"), cells.map((cell) => el("td", {}, cell)));
}

function span({ median, p95 }) {
  return median === null ? "–" : `${lasts(median)} · ${lasts(p95)}`;
}

function lasts(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function percent(part) {
  return part === null ? "–" : new Intl.NumberFormat(locale(), { style: "percent" }).format(part);
}

function titleOf(one) {
  const [cause, ...subject] = one.title.split(" ");
  return words(`board.cause.${CAUSES.has(cause) ? cause : "waiting"}`, { subject: subject.join(" ") });
}

// A name that is too long breaks at its parts.
function breakable(title) {
  return title.split(/(?<=[#.])/).flatMap((part, number) => (number ? [el("wbr"), part] : [part]));
}

function clock(at) {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { day: "2-digit", month: "short" };
  return new Intl.DateTimeFormat(document.documentElement.lang, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" }).format(then);
}

function mayChange() {
  return session()?.person?.permissions.includes("propose") ?? false;
}

function live(state) {
  byId("live").dataset.state = state;
  byId("live").textContent = words(`board.${state}`);
}

function signIn() {
  byId("main").replaceChildren(el("p", {}, el("a", { href: "/" }, words("board.signIn"))));
}

function label() {
  applyWords(document);
  document.title = words("board.title");
  byId("language").textContent = words("switchLanguage");
  byId("language").setAttribute("aria-label", words("switchLanguageLabel"));
  if (byId("live").dataset.state) live(byId("live").dataset.state);
  if (board) showBoard();
  if (figures) showFigures();
}

byId("language").addEventListener("click", () => setLocale(locale() === "pt" ? "en" : "pt"));
onLocaleChange(label);
label();
if (session()) {
  follow();
  readFigures();
} else {
  signIn();
}
