"use strict";
// The panel of the context trees: what they say in words, what of the past each field looks at, its rules.

const heads = (...names) =>
  names.map(([name, kind]) => (name ? el("th", { scope: "col", class: kind }, name) : el("td")));

/** What of the past a field looks at, and the bits that this is worth. */
function looksTable(field) {
  const most = Math.max(...field.looks.map((look) => look.saved), 1);
  const row = (look) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, look.part),
      el("td", { class: "n" }, number(Math.round(look.saved))),
      el("td", { class: "wide" }, bar(Math.max(0, look.saved) / most)),
    );
  const names = heads(["looks at"], ["worth, bits", "n"], [""]);
  return table(`What the ${field.name} looks at`, names, field.looks.map(row), "percepts");
}

function rulesTable(field) {
  const row = (rule) =>
    el(
      "tr",
      {},
      el("td", {}, rule.when || "always"),
      el("td", {}, rule.then),
      el("td", { class: "n" }, chance(rule.probability)),
      el("td", { class: "n" }, number(rule.count)),
    );
  const names = heads(["when"], ["then"], ["probability", "n"], ["cycles", "n"]);
  return table(`Rules for the ${field.name}`, names, field.rules.map(row), "rules");
}

function fieldOfTree(field) {
  const name = `Rules for the ${field.name}`;
  const rules = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, rulesTable(field));
  return el(
    "div",
    {},
    el("h3", {}, `The ${field.name}`),
    field.looks && field.looks.length ? looksTable(field) : null,
    field.rules.length ? el("details", {}, el("summary", {}, `${number(field.rules.length)} rules`), rules) : null,
  );
}

function treePanel(tree) {
  return [
    el(
      "dl",
      { class: "facts" },
      fact("after cycle", number(tree.cycle)),
      fact("leaves", number(tree.leaves)),
      fact("code length", `${number(Math.round(tree.bits))} bits`),
      fact("looks back", `${number(tree.depth)} bits`),
    ),
    el("div", { class: "sentences" }, ...tree.sentences.map((sentence) => el("p", {}, sentence))),
    el("div", { class: "fields" }, tree.fields.map(fieldOfTree)),
  ];
}
