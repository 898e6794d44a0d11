// Renders /openapi.json for reading: https://spec.openapis.org/oas/v3.1.1

import { byId, el } from "./dom.js";

const response = await fetch("/openapi.json");
const api = await response.json();

byId("main").append(
  el("h1", {}, `${api.info.title} API `, el("span", { class: "muted" }, api.info.version)),
  el("p", { class: "lead" }, prose(api.info.description)),
);
for (const { name } of api.tags) renderTag(name);
renderSchemas();
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();

function renderTag(tag) {
  const links = [];
  byId("main").append(el("h2", { id: `tag-${tag}` }, tag));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (!operation.tags.includes(tag)) continue;
      byId("main").append(renderOperation(method, path, operation));
      links.push(el("li", {}, el("a", { href: `#${operation.operationId}` }, el("span", { class: `method method-${method}` }, method), path.replace("/api/v1", ""))));
    }
  }
  byId("nav").append(el("p", { class: "overline" }, tag), el("ul", {}, links));
}

function renderOperation(method, path, operation) {
  return el(
    "article",
    { class: "operation", id: operation.operationId },
    el("h3", {}, el("span", { class: `method method-${method}` }, method), el("code", {}, path)),
    el("p", {}, operation.summary, ". ", prose(operation.description ?? (operation.security.length ? "" : "Open to everybody."))),
    operation.parameters ? section("Parameters", operation.parameters.map((each) => row(each.name, each.in, each.required, each.schema, each.description))) : null,
    operation.requestBody ? body("Request", operation.requestBody.content) : null,
    Object.entries(operation.responses).map(([status, answer]) => (status < 400 || answer.content["application/json"] ? body(`${status} ${answer.description}`, answer.content ?? {}) : null)),
    el("p", { class: "muted" }, "Problems: ", Object.keys(operation.responses).filter((status) => status >= 400).join(", ")),
  );
}

function body(title, content) {
  const parts = Object.entries(content)
    .filter(([mediaType]) => mediaType !== "application/problem+json")
    .map(([mediaType, { schema }]) => el("div", { class: "media" }, el("code", {}, mediaType), " ", typeOf(schema), schema.description ? el("p", { class: "muted" }, prose(schema.description)) : null));
  return el("section", {}, el("h4", {}, title), parts);
}

function renderSchemas() {
  byId("main").append(el("h2", { id: "schemas" }, "Objects"));
  const links = [];
  for (const [name, schema] of Object.entries(api.components.schemas).sort()) {
    const required = new Set(schema.required);
    const rows = Object.entries(schema.properties ?? {}).map(([field, each]) => row(field, "", required.has(field), each, each.description));
    byId("main").append(
      el(
        "article",
        { class: "operation", id: `schema-${name}` },
        el("h3", {}, el("code", {}, name)),
        schema.description ? el("p", {}, prose(schema.description)) : null,
        rows.length ? fields(rows) : el("p", {}, typeOf(schema)),
      ),
    );
    links.push(el("li", {}, el("a", { href: `#schema-${name}` }, name)));
  }
  byId("nav").append(el("p", { class: "overline" }, "objects"), el("ul", {}, links));
}

function section(title, rows) {
  return el("section", {}, el("h4", {}, title), fields(rows));
}

function fields(rows) {
  return el("div", { class: "table-scroll" }, el("table", { class: "fields" }, el("tbody", {}, rows)));
}

function row(name, place, isRequired, schema, description) {
  const limits = ["minLength", "maxLength", "minimum", "maximum", "pattern", "default"]
    .filter((key) => schema[key] !== undefined && schema[key] !== null)
    .map((key) => `${key} ${JSON.stringify(schema[key])}`);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("code", {}, name), place ? el("span", { class: "muted" }, ` ${place}`) : null),
    el("td", {}, typeOf(schema), isRequired ? "" : el("span", { class: "muted" }, " optional")),
    el("td", {}, description ? el("div", {}, prose(description)) : null, limits.length ? el("div", { class: "muted" }, limits.join(" · ")) : null),
  );
}

// The type in a few words, with links to named objects.
function typeOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return el("a", { href: `#schema-${name}` }, name);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return el("span", {}, choices.flatMap((choice, index) => (index ? [" | ", typeOf(choice)] : [typeOf(choice)])));
  if (schema.const !== undefined) return el("code", {}, JSON.stringify(schema.const));
  if (schema.enum) return el("span", {}, schema.enum.map((value) => JSON.stringify(value)).join(" | "));
  if (schema.type === "array") return el("span", {}, "list of ", schema.items ? typeOf(schema.items) : "values");
  if (schema.type === "object" && schema.additionalProperties) return el("span", {}, "map to ", typeOf(schema.additionalProperties));
  return el("span", {}, [schema.type, schema.format].filter(Boolean).join(", ") || "any");
}

// Text in which `backquotes` mark code.
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
}
