// Follows a turn over server-sent events (EventSource cannot POST) and survives lost connections:
// the first request is repeated under its Idempotency-Key, later ones resume after the last event.

import { authorized, Problem } from "./session.js";

const PAUSES = [500, 1500, 4000, 8000, 15000];
const RETRYABLE = new Set(["unreachable", "still_running", "unavailable"]);

// Starts or resumes `turn` ({path, body, key, address, lastEvent}) and returns the data of its `reply`.
// `on.progress(text)`, `on.delta(text)`, `on.reconnecting()`; `on.accepted()` once the address is known.
// Throws Problem.
export async function followTurn(turn, on) {
  for (let failures = 0; ; failures += 1) {
    try {
      const reply = await readOnce(turn, on, () => {
        failures = 0;
      });
      if (reply) return reply;
    } catch (error) {
      if (!(error instanceof Problem) || !RETRYABLE.has(error.code) || failures >= PAUSES.length) throw error;
    }
    if (failures >= PAUSES.length) throw new Problem({ status: 0, code: "unreachable", detail: "" });
    on.reconnecting();
    await new Promise((done) => setTimeout(done, PAUSES[failures]));
  }
}

async function readOnce(turn, on, onEvent) {
  const response = turn.address
    ? await authorized(turn.address, {
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(turn.lastEvent ?? 0) },
      })
    : await authorized(turn.path, {
        method: "POST",
        headers: { Accept: "text/event-stream", "Content-Type": "application/json", "Idempotency-Key": turn.key },
        body: JSON.stringify(turn.body),
      });
  if (!turn.address) {
    turn.address = response.headers.get("Content-Location");
    on.accepted();
  }
  for await (const event of events(response.body)) {
    onEvent();
    if (event.id) turn.lastEvent = event.id;
    const data = JSON.parse(event.data);
    if (event.name === "progress") on.progress(data.text);
    else if (event.name === "delta") on.delta(data.text);
    else if (event.name === "reply") return data;
    else if (event.name === "problem") throw new Problem(data);
  }
  return null;
}

// https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as our server writes it.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += value;
      const frames = buffer.split("\n\n");
      buffer = frames.pop();
      for (const frame of frames) {
        const event = parse(frame);
        if (event) yield event;
      }
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem({ status: 0, code: "unreachable", detail: error.message });
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(frame) {
  const fields = {};
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return fields.data ? { id: fields.id, name: fields.event, data: fields.data } : null;
}
