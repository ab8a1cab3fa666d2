"use strict";
// Draws the description of the API. Text is only ever set as text.

const make = (tag, attributes = {}, ...inside) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};

const named = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map(String).join(" | ");
  if (schema.oneOf || schema.anyOf) return (schema.oneOf || schema.anyOf).map(named).join(" or ");
  if (schema.type === "array") return `list of ${named(schema.items) || "anything"}`;
  return [].concat(schema.type || "anything").join(" or ");
};

const limits = (schema) =>
  [["minLength", "at least", "characters"], ["maxLength", "at most", "characters"], ["minimum", "from", ""], ["maximum", "to", ""]]
    .filter(([name]) => schema[name] !== undefined)
    .map(([name, before, after]) => `${before} ${schema[name]} ${after}`.trim())
    .join(", ");

const fields = (schema, all, depth = 0) => {
  const full = schema.$ref ? all[schema.$ref.split("/").pop()] : schema;
  const rows = Object.entries(full.properties || {}).flatMap(([name, each]) => {
    const wanted = (full.required || []).includes(name) ? "required" : each.default === undefined ? "" : `default ${JSON.stringify(each.default)}`;
    const label = make("td", {}, make("code", {}, `${"  ".repeat(depth)}${name}`));
    const row = make("tr", {}, label, make("td", {}, named(each)), make("td", {}, [wanted, limits(each), each.description].filter(Boolean).join("; ")));
    const inner = each.properties ? each : each.$ref ? all[each.$ref.split("/").pop()] : null;
    return inner && depth < 2 ? [row, ...fields(inner, all, depth + 1)] : [row];
  });
  return rows;
};

const table = (rows, ...heads) =>
  make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head)))), make("tbody", {}, ...rows));

const drawn = (path, method, operation, all) => {
  const inside = make("div", { class: "inside" });
  inside.append(make("p", {}, operation.description || "For whoever is known."));
  if (operation.parameters.length) {
    inside.append(table(operation.parameters.map((each) =>
      make("tr", {}, make("td", {}, make("code", {}, each.name)), make("td", {}, each.in), make("td", {}, [named(each.schema), each.required ? "required" : "", each.description].filter(Boolean).join("; ")))), "parameter", "in", ""));
  }
  if (operation.requestBody) {
    const { schema } = operation.requestBody.content["application/json"] || {};
    if (schema) inside.append(make("h3", {}, `Body: ${named(schema)}`), table(fields(schema, all), "field", "type", ""));
    else inside.append(make("h3", {}, `Body: bytes of ${Object.keys(operation.requestBody.content).join(", ")}`));
  }
  inside.append(make("h3", {}, "Answers"), table(Object.entries(operation.responses).map(([status, answer]) => {
    const [media, content] = Object.entries(answer.content || {})[0] || ["", {}];
    return make("tr", {}, make("td", {}, status), make("td", {}, answer.description), make("td", {}, media.includes("problem") ? "Problem" : named(content.schema)));
  }), "status", "", "holds"));
  const summary = make("summary", {}, make("code", {}, make("span", { class: "method" }, method.toUpperCase()), path), " ", make("span", { class: "soft" }, operation.summary));
  return make("details", { id: operation.operationId }, summary, inside);
};

const draw = (api) => {
  const all = api.components.schemas;
  const place = document.getElementById("operations");
  place.replaceChildren();
  for (const { name } of api.tags) {
    document.getElementById("tags").append(make("a", { href: `#${name}` }, name));
    place.append(make("h2", { id: name }, name));
    for (const [path, methods] of Object.entries(api.paths))
      for (const [method, operation] of Object.entries(methods))
        if (operation.tags[0] === name) place.append(drawn(`/api/v1${path}`, method, operation, all));
  }
  const rows = all.Problem["x-kinds"].map((kind) =>
    make("tr", { id: kind.name }, make("td", {}, make("code", {}, kind.name)), make("td", {}, String(kind.status)), make("td", {}, kind.title)));
  document.querySelector("#kinds tbody").append(...rows);
};

fetch("openapi.json").then((answer) => answer.json()).then(draw, (fault) => {
  document.getElementById("operations").replaceChildren(make("p", {}, `The description cannot be read: ${fault}`));
});
