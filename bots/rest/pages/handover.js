// What a shift hands over to the next, as a document that can be printed. Each line opens its record.

import { byId, el } from "./dom.js";
import { applyWords, locale, onLocaleChange, setLocale, words } from "./i18n.js";
import { authorized, session } from "./session.js";

const SECTIONS = ["failed", "done", "open", "risk"];
const HOURS = [8, 12, 24, 72];

async function show() {
  const page = byId("main");
  if (!session()) {
    page.replaceChildren(el("p", {}, el("a", { href: "/" }, words("handover.signIn"))));
    return;
  }
  try {
    const response = await authorized(`/api/v1/handover?hours=${byId("hours").value}&locale=${locale()}`);
    page.replaceChildren(...render(await response.json()));
  } catch (problem) {
    page.replaceChildren(el("p", { class: "notice tone-danger", role: "alert" }, words(`problems.${problem.code}`) ?? problem.message));
  }
}

function render(handover) {
  const clock = clockOf(handover.zone, handover.until);
  const plan = handover.as_of ? words("handover.plan", { at: clock(handover.as_of) }) : words("handover.noPlan");
  return [
    el("h1", {}, words("handover.title")),
    el("p", { class: "muted" }, `${day(handover)} · ${clock(handover.since)} – ${clock(handover.until)} · ${handover.zone}`),
    SECTIONS.map((name) => section(name, handover.lines.filter((line) => line.section === name), clock)),
    el("p", { class: "muted foot" }, plan),
  ].flat();
}

function section(name, lines, clock) {
  return el(
    "section",
    { "data-section": name },
    el("h2", {}, words(`handover.${name}`), el("span", { class: "muted" }, ` ${lines.length}`)),
    lines.length ? el("ul", { class: "lines" }, lines.map((line) => item(line, clock))) : el("p", { class: "muted" }, words("handover.nothing")),
  );
}

function item(line, clock) {
  const record = line.link
    ? el("button", { type: "button", class: "quiet small", "aria-expanded": "false", on: { click: (event) => open(event.currentTarget, line) } }, line.record)
    : el("span", { class: "record", title: line.record }, line.record);
  return el(
    "li",
    { "data-record": line.record },
    el("time", { datetime: line.at }, line.at ? clock(line.at) : "–"),
    el("span", { class: "told" }, line.text),
    el("span", { class: "by" }, line.by),
    record,
  );
}

// The record below its line, or away again.
async function open(button, line) {
  const shown = button.parentElement.querySelector("pre");
  button.setAttribute("aria-expanded", String(!shown));
  if (shown) {
    shown.remove();
    return;
  }
  let text;
  try {
    const record = await (await authorized(line.link)).json();
    text = JSON.stringify(record.row ?? record, null, 2);
  } catch (problem) {
    text = words(`problems.${problem.code}`) ?? problem.message;
  }
  button.parentElement.append(el("pre", { tabindex: "0" }, text));
}

// Times in the zone that all who read the handover share, with the day where it is another one.
function clockOf(timeZone, until) {
  const time = new Intl.DateTimeFormat(language(), { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const date = new Intl.DateTimeFormat(language(), { timeZone, day: "2-digit", month: "short" });
  const today = date.format(new Date(until));
  return (at) => {
    const then = new Date(at);
    return date.format(then) === today ? time.format(then) : `${date.format(then)} ${time.format(then)}`;
  };
}

function day({ zone, until }) {
  return new Intl.DateTimeFormat(language(), { timeZone: zone, dateStyle: "long" }).format(new Date(until));
}

function language() {
  return document.documentElement.lang;
}

function label() {
  applyWords(document);
  document.title = words("handover.title");
  byId("language").textContent = words("switchLanguage");
  byId("language").setAttribute("aria-label", words("switchLanguageLabel"));
  byId("hours").setAttribute("aria-label", words("handover.span"));
  const chosen = byId("hours").value || HOURS[0];
  byId("hours").replaceChildren(...HOURS.map((hours) => el("option", { value: hours }, words("handover.hours", { hours }))));
  byId("hours").value = chosen;
  show();
}

byId("language").addEventListener("click", () => setLocale(locale() === "pt" ? "en" : "pt"));
byId("hours").addEventListener("change", show);
byId("print").addEventListener("click", () => window.print());
onLocaleChange(label);
label();
