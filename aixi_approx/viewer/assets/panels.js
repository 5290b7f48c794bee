"use strict";
// Panels: the world, what can be known, the plan, the words; each made from a step, an explained decision, the run.

const MOST_BELIEFS = 10,
  LAST = 8; // cycles

const note = (text) => el("p", { class: "muted" }, text);

/** A tag beside a name: never colour alone. */
const tag = (text, kind = "") => el("span", { class: `tag ${kind}` }, text);

function worldPanel(run, i) {
  const step = run.at(i),
    picture = run.picture(step.picture);
  const rows = [];
  for (let j = Math.max(0, i - LAST + 1); j <= i; j++) {
    const s = run.at(j);
    rows.push(
      el(
        "tr",
        { class: j === i ? "now" : null, "aria-current": j === i ? "true" : null },
        el("th", { scope: "row", class: "n" }, number(s.cycle)),
        el("td", {}, clip(run.action(s.action), 24), s.explored ? tag("random", "warm") : null),
        el("td", {}, clip(run.observation(s.observation), 24)),
        el("td", { class: "n" }, signed(s.reward)),
      ),
    );
  }
  return [
    picture === null
      ? null
      : el(
          "pre",
          { class: "picture", tabindex: "0", role: "img", "aria-label": `Picture after cycle ${step.cycle}` },
          walled(picture),
        ),
    picture === null ? null : note("after this cycle"),
    el(
      "dl",
      { class: "facts" },
      fact("did", run.action(step.action), step.explored ? tag("random", "warm") : null),
      fact("saw", run.observation(step.observation)),
      fact("reward", signed(step.reward)),
      fact("mean so far", number(step.mean)),
    ),
    table(
      "The last cycles",
      ["cycle", "did", "saw", "reward"].map((h, k) => el("th", { scope: "col", class: k % 3 ? null : "n" }, h)),
      rows,
      "log",
    ),
  ];
}

/** A picture whose walls are fainter than what moves among them. */
const walled = (picture) =>
  picture.split(/(█+)/).map((text) => (text.startsWith("█") ? el("span", { class: "wall" }, text) : text));

const fact = (name, ...what) => el("div", {}, el("dt", {}, name), el("dd", {}, ...what));

/** Where there is no explanation: says so, and where the next ones are. */
function absent(run, i, go) {
  const button = (direction, text) => {
    const j = run.beside(i, direction);
    return j < 0
      ? null
      : el("button", { type: "button", on: { click: () => go(j) } }, `${text} ${number(run.steps.cycle[j])}`);
  };
  return [
    note("This decision was not explained; the nearest that were:"),
    el("div", { class: "buttons" }, button(-1, "← cycle"), button(1, "→ cycle")),
  ];
}

function beliefPanel(run, moment) {
  const hidden = run.environment.hidden ? note(`Hidden: ${run.environment.hidden}.`) : null;
  if (!moment.truth || !moment.truth.belief)
    return [hidden, note("This environment gives no list of its states, or too long a one: there is no exact belief.")];
  const belief = [...moment.truth.belief].sort((a, b) => b[1] - a[1]);
  const rest = belief.slice(0, MOST_BELIEFS).reduce((sum, each) => sum - each[1], 1);
  const row = ([name, p]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, clip(String(name), 48)),
      el("td", { class: "n" }, chance(p)),
      el("td", { class: "wide" }, bar(p)),
    );
  // In the order of the names, so that bars stay in their place from cycle to cycle.
  const listed = belief.slice(0, MOST_BELIEFS);
  if (belief.length <= MOST_BELIEFS) listed.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return [
    hidden,
    note("Before this decision, by Bayes’ rule:"),
    table(
      "What the history says about the hidden state, before this cycle",
      ["state", "probability", ""].map((h, k) =>
        h ? el("th", { scope: "col", class: k ? "n" : null }, h) : el("td"),
      ),
      [...listed.map(row), rest > 1e-6 ? row(["all others", rest]) : null].filter(Boolean),
      "percepts",
    ),
  ];
}

/** What it would do, cycle after cycle, if always the likeliest percept came. */
function planPanel(run, moment) {
  if (!moment.line.length) return [note("No plan was kept.")];
  return [
    note("What it would do if always the likeliest came, and how likely each is:"),
    el(
      "ol",
      { class: "line" },
      moment.line.map((step) =>
        el(
          "li",
          {},
          el("strong", {}, clip(run.action(step.action), 24)),
          el(
            "span",
            { class: "arrow" },
            el("span", { "aria-hidden": "true" }, "→"),
            el("span", { class: "hidden" }, "then"),
          ),
          el("span", {}, clip(run.observation(step.observation), 24)),
          el("span", { class: "n" }, signed(step.reward)),
          el("small", {}, chance(step.probability)),
        ),
      ),
    ),
  ];
}

function wordsPanel(moment) {
  return moment.words.length ? moment.words.map((sentence) => el("p", {}, sentence)) : [note("Nothing to say.")];
}
