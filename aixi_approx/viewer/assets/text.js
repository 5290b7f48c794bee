"use strict";
// Texts and elements. Texts of a recording are not to be trusted: they come on the page as text nodes and attributes
// of labels only, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

/** Whether a value is there. */
const known = (x) => x !== null && x !== undefined;

/** A number for people, with so many significant digits and a true minus sign; a whole one has all of them. */
function number(x, digits = 3) {
  if (!Number.isFinite(x)) return "–";
  const before = x === 0 ? 0 : Math.floor(Math.log10(Math.abs(x)));
  const places = Number.isInteger(x) ? 0 : Math.max(0, Math.min(4, digits - 1 - before));
  const text = x.toLocaleString("en-US", { maximumFractionDigits: places });
  return (text === "-0" ? "0" : text).replace("-", "−");
}

/** A reward, with its sign. */
const signed = (x) => (x > 0 ? "+" : "") + number(x, 6);

/** A probability for people: those that are nearly 0 or 1 don't look as if they were. */
function chance(p) {
  if (!known(p)) return "–";
  if (p > 0 && p < 0.001) return "< .001";
  if (p < 1 && p > 0.999) return "> .999";
  return p === 0 || p === 1 ? String(p) : p.toFixed(3).slice(1).replace(/0$/, "");
}

const share = (p) => (p > 0 && p < 0.005 ? "< 1" : Math.round(100 * p)) + " %";
const clip = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (!known(value) || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "width%") node.style.width = `${Math.max(0, Math.min(100, value))}%`;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => known(child) && child !== false));
  return node;
}

/** An element of HTML. */
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** An element of SVG. */
const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Shows a text, if it isn't there yet: what does not change costs nothing. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A bar for a probability; the number stands beside it, in the same row. */
const bar = (p, kind = "") =>
  el("span", { class: `bar ${kind}`, "aria-hidden": "true" }, el("span", { "width%": 100 * p }));

/** A table with a caption for those who can't see its place on the page. */
function table(caption, heads, rows, kind = "") {
  return el(
    "table",
    { class: kind },
    el("caption", { class: "hidden" }, caption),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        heads.map((head) => (head instanceof Node ? head : el("th", { scope: "col" }, head))),
      ),
    ),
    el("tbody", {}, rows),
  );
}

/** Round numbers of an axis, about `most` of them. */
function ticks(low, high, most) {
  const span = high - low || 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i++) found.push(i * step);
  return found;
}
