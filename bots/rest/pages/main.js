// Starts the page: who is signed in decides what is shown.

import { openChat, prepareChat } from "./chat.js";
import { byId } from "./dom.js";
import { applyWords, locale, onLocaleChange, setLocale, words } from "./i18n.js";
import { preparePassage } from "./passage.js";
import { authorized, onSignedOut, session, signIn, signOut } from "./session.js";

const HEALTH_EVERY_MS = 60_000;

function show(error = "") {
  const person = session()?.person;
  byId("login").hidden = Boolean(person);
  byId("chat").hidden = !person;
  byId("person").hidden = !person;
  byId("new-conversation").hidden = !person;
  if (person) {
    showPerson();
    openChat();
    return;
  }
  byId("passage").close();
  showError(error);
  byId("username").focus();
}

function showPerson() {
  const person = session()?.person;
  byId("person-name").textContent = person?.display_name ?? "";
  byId("person-role").textContent = person ? words(`roles.${person.role}`) : "";
}

function showError(text) {
  byId("login-error").textContent = text;
  byId("login-error").hidden = !text;
}

async function submitLogin(event) {
  event.preventDefault();
  const { username, password } = event.target.elements;
  if (!username.value || !password.value) {
    showError(words("signInMissing"));
    (username.value ? password : username).focus();
    return;
  }
  const button = event.submitter ?? event.target.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await signIn(username.value, password.value);
    event.target.reset();
    show();
  } catch (problem) {
    showError(words(`problems.${problem.code}`) ?? problem.message);
    password.select();
  } finally {
    button.disabled = false;
  }
}

async function showLinkCode() {
  let text;
  let said = "";
  try {
    const { code } = await (await authorized("/api/v1/me/link-code", { method: "PUT" })).json();
    text = words("link.say");
    said = words("link.code", { code });
  } catch (problem) {
    text = words(`problems.${problem.code}`) ?? problem.message;
  }
  byId("link-words").textContent = text;
  byId("link-code").textContent = said;
  byId("link").showModal();
}

function prepareBar() {
  const language = byId("language");
  const theme = byId("theme");
  language.addEventListener("click", () => setLocale(locale() === "pt" ? "en" : "pt"));
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("resync.theme", root.dataset.theme);
  });
  byId("link-chat").addEventListener("click", showLinkCode);
  byId("sign-out").addEventListener("click", () => signOut());
  const label = () => {
    language.textContent = words("switchLanguage");
    language.setAttribute("aria-label", words("switchLanguageLabel"));
    theme.setAttribute("aria-label", words("themeLabel"));
    byId("new-conversation").setAttribute("aria-label", words("newConversation"));
    byId("passage-close").setAttribute("aria-label", words("close"));
    showPerson();
    showHealth();
  };
  onLocaleChange(label);
  label();
}

let health = null;

function showHealth() {
  const element = byId("health");
  element.dataset.status = health ?? "";
  element.textContent = health ? words(`health.${health}`) : "";
}

async function watchHealth() {
  try {
    const response = await fetch("/api/v1/health");
    ({ status: health } = await response.json());
  } catch {
    health = "unreachable";
  }
  showHealth();
}

applyWords(document);
prepareBar();
preparePassage();
prepareChat();
byId("login-form").addEventListener("submit", submitLogin);
onSignedOut((expired) => show(expired ? words("sessionOver") : ""));
show();
watchHealth();
setInterval(watchHealth, HEALTH_EVERY_MS);
