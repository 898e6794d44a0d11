// The signed-in person. Tokens live in this tab only and end with it.

const KEY = "resync.session";

const listeners = new Set();
let refreshing = null;

export class Problem extends Error {
  constructor({ status, code, detail }) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export function onSignedOut(listener) {
  listeners.add(listener);
}

export function session() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
}

export function mayDecide() {
  return session()?.person?.permissions.includes("approve") ?? false;
}

export async function signIn(username, password) {
  const tokens = await post("/api/v1/auth/login", { username, password });
  keep({ tokens });
  const response = await authorized("/api/v1/auth/me");
  keep({ tokens: session().tokens, person: await response.json() });
  return session().person;
}

export function signOut({ expired = false } = {}) {
  sessionStorage.clear();
  for (const listener of listeners) listener(expired);
}

// fetch with the access token; renews it once when it has expired. Throws Problem.
export async function authorized(path, options = {}) {
  const used = session()?.tokens;
  let response = await send(path, options, used);
  if (response.status === 401 && used) {
    await renew(used);
    response = await send(path, options, session()?.tokens);
  }
  if (response.status === 401) signOut({ expired: true });
  if (!response.ok) throw await problemOf(response);
  return response;
}

function keep(value) {
  sessionStorage.setItem(KEY, JSON.stringify(value));
}

// A refresh token works once, so that requests which fail together must share one renewal.
function renew(used) {
  if (session()?.tokens.access_token !== used.access_token) return Promise.resolve();
  refreshing ??= post("/api/v1/auth/refresh", { refresh_token: used.refresh_token })
    .then((tokens) => keep({ ...session(), tokens }))
    .catch((error) => {
      if (error.status !== 401) throw error;
    })
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

function send(path, options, tokens) {
  const headers = new Headers(options.headers);
  if (tokens) headers.set("Authorization", `Bearer ${tokens.access_token}`);
  return reach(path, { ...options, headers });
}

async function post(path, body) {
  const response = await reach(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

async function reach(path, options) {
  try {
    return await fetch(path, { cache: "no-store", ...options });
  } catch (error) {
    throw new Problem({ status: 0, code: "unreachable", detail: error.message });
  }
}

async function problemOf(response) {
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  return new Problem(isProblem ? await response.json() : { status: response.status, code: "internal", detail: response.statusText });
}
