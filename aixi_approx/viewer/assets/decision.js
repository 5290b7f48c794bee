"use strict";
// Panels: the decision, with the value of each action, and what is expected of an action; marks of the legends.

const MOST_ACTIONS = 12;
const LEFT_OUT = 5e-3; // probability of percepts that were not followed, beyond which the entropy is a bound
const SAME = 1e-6; // values that differ by less, relatively, are equal
const SMALL = 1e-3; // a probability that is not worth a row

const REGRETS = [
  ["horizon", "looking only so far ahead"],
  ["prediction", "the model: it is not the environment"],
  ["decision", "the search: it missed what is best by the model"],
  ["distillation", "acting by a policy, without search"],
  ["exploration", "acting at random"],
];

/** How far a value may be off: two standard errors, or the most by a search that knows. */
const reachOf = (a) => (known(a.error) ? a.error : 2 * (a.deviation || 0));

/** Actions: value with two standard errors on a common axis, visits, policy; the exact value as a hollow mark. */
function decisionPanel(run, moment, shown, choose) {
  const exact = (moment.truth && moment.truth.within) || [],
    judged = exact.length > 0;
  const numbers = moment.actions
    .flatMap((a) => {
      const reach = reachOf(a);
      return a.value === null ? [] : [a.value - reach, a.value + reach];
    })
    .concat(exact.filter(known));
  let low = Math.min(...numbers),
    high = Math.max(...numbers);
  if (low === high) {
    low -= 1;
    high += 1;
  }
  const place = (v) => `${(4 + (92 * (v - low)) / (high - low)).toFixed(2)}%`;
  const visits = moment.actions.reduce((sum, a) => sum + a.visits, 0);
  const priors = moment.actions.some((a) => known(a.prior));
  let listed = moment.actions;
  if (listed.length > MOST_ACTIONS) {
    const best = [...listed].sort((a, b) => b.visits - a.visits).slice(0, MOST_ACTIONS);
    listed = listed.filter((a) => best.includes(a) || a.action === moment.action || a.action === shown);
  }
  const rows = listed.map((a) => {
    const chosen = a.action === moment.action,
      within = exact[a.action],
      reach = reachOf(a);
    const chart = draw(
      "svg",
      { class: "value", width: "100%", height: 20, "aria-hidden": "true" },
      low < 0 && high > 0 ? draw("line", { class: "zero", x1: place(0), x2: place(0), y1: 0, y2: 20 }) : null,
      a.value === null
        ? null
        : [
            reach
              ? draw("line", {
                  class: "reach",
                  x1: place(a.value - reach),
                  x2: place(a.value + reach),
                  y1: 10,
                  y2: 10,
                })
              : null,
            draw("circle", { class: "point", cx: place(a.value), cy: 10, r: 4.5 }),
          ],
      !known(within)
        ? null
        : draw(
            "svg",
            { x: place(within), y: 10, overflow: "visible" },
            draw("path", { class: "exact", d: "M0 -7L6 0L0 7L-6 0Z" }),
          ),
    );
    return el(
      "tr",
      { class: [chosen && "chosen", a.action === shown && "shown"].filter(Boolean).join(" ") || null },
      el(
        "th",
        { scope: "row" },
        el(
          "button",
          {
            type: "button",
            class: "choice",
            "aria-pressed": String(a.action === shown),
            title: "What it would expect",
            "data-action": a.action,
            on: { click: () => choose(a.action) },
          },
          clip(a.name, 28),
        ),
        chosen ? tag(moment.explored ? "random" : "chosen", moment.explored ? "warm" : "accent") : null,
      ),
      el("td", { class: "chart" }, chart),
      el(
        "td",
        { class: "n" },
        number(a.value),
        reach ? el("small", { class: "block" }, `± ${number(reach, 2)}`) : null,
      ),
      judged ? el("td", { class: "n" }, number(within)) : null,
      el("td", { class: "n" }, visits ? [share(a.visits / visits), bar(a.visits / visits)] : "–"),
      priors ? el("td", { class: "n" }, a.prior === null ? "–" : [share(a.prior), bar(a.prior, "quiet")]) : null,
    );
  });
  const axis = numbers.length
    ? el("span", { class: "ends" }, el("span", {}, number(low, 2)), el("span", {}, number(high, 2)))
    : null;
  const heads = [
    el("th", { scope: "col" }, "action"),
    el("th", { scope: "col", class: "chart" }, el("span", { class: "hidden" }, "value, drawn"), axis),
    el("th", { scope: "col", class: "n" }, "value"),
    judged ? el("th", { scope: "col", class: "n" }, "exact") : null,
    el("th", { scope: "col", class: "n" }, "visits"),
    priors ? el("th", { scope: "col", class: "n" }, "policy") : null,
  ].filter(Boolean);
  const left = moment.actions.length - listed.length;
  const ahead = moment.horizon ? ` over ${number(moment.horizon)} cycles` : "";
  return [
    table("The value of each action", heads, rows, "actions"),
    el(
      "ul",
      { class: "legend" },
      key("point", `value${ahead}, ${moment.actions.some((a) => known(a.error)) ? "± the most it is off" : "± 2 standard errors"}`),
      judged ? key("exact", `exact value${ahead}, in the true environment`) : null,
    ),
    left ? note(`${left} actions that were visited less are left out.`) : null,
    note(
      moment.explored ? "This action was drawn at random, to explore." : `${number(moment.simulations)} simulations.`,
    ),
    regret(moment),
  ];
}

function key(kind, text) {
  const mark = {
    point: () => [
      draw("line", { class: "reach", x1: 0, x2: 22, y1: 7, y2: 7 }),
      draw("circle", { class: "point", cx: 11, cy: 7, r: 4.5 }),
    ],
    exact: () => [draw("path", { class: "exact", d: "M11 0.5L17 7L11 13.5L5 7Z" })],
    reward: () => [draw("line", { class: "curve reward", x1: 0, x2: 22, y1: 7, y2: 7 })],
    loss: () => [draw("line", { class: "curve loss", x1: 0, x2: 22, y1: 7, y2: 7 })],
    kept: () => [draw("line", { class: "kept", x1: 0, x2: 22, y1: 7, y2: 7 })],
    full: () => [draw("path", { class: "full", d: "M6 1v12M11 1v12M16 1v12" })],
  }[kind]();
  return el("li", {}, draw("svg", { width: 22, height: 14, "aria-hidden": "true" }, mark), text);
}

/** What the choice loses, and through which part of the agent. */
function regret(moment) {
  const parts = moment.truth && moment.truth.regret;
  if (!parts) return null;
  if (parts.total === null) return el("p", {}, el("strong", {}, "It loses reward for ever."));
  const values = (moment.truth.long_run || []).filter(known).map(Math.abs);
  const least = SAME * Math.max(1, ...values);
  if (Math.abs(parts.total) < least) return el("p", {}, "In all later rewards, it loses nothing.");
  const causes = REGRETS.filter(([name]) => Math.abs(parts[name] || 0) >= least);
  return el(
    "div",
    { class: "regret" },
    el(
      "p",
      {},
      el("strong", {}, `It loses ${number(parts.total)}`),
      causes.length ? " in all later rewards:" : " in all later rewards.",
    ),
    causes.length ? null : note("What caused it takes longer to find out: aixi explain does."),
    el(
      "ul",
      {},
      causes.map(([name, why]) => el("li", {}, el("span", { class: "n" }, number(parts[name])), ` by ${why}`)),
    ),
  );
}

/** Percepts with their probabilities, of the action that was chosen or another. */
function expectationPanel(run, moment, shown, choose) {
  const action = moment.actions.find((a) => a.action === shown) || moment.actions[0];
  if (!action) return [note("Nothing is expected.")];
  const chosen = action.action === moment.action,
    came = chosen ? moment.came : null;
  if (!action.percepts.length) return [note("It has no model that says what comes of an action.")];
  const is = ([o, r]) => Boolean(came) && came.observation === o && came.reward === r;
  const list = action.percepts.filter((each) => each[2] >= SMALL || is(each));
  if (came && known(came.surprise) && !list.some(is)) {
    list.push([came.observation, came.reward, 2 ** -came.surprise]); // likely enough for no row but for having come
  }
  const rest = list.reduce((sum, each) => sum - each[2], 1);
  const rows = list.map((percept) => {
    const [o, r, p] = percept,
      here = is(percept);
    return el(
      "tr",
      { class: here ? "came" : null },
      el("th", { scope: "row" }, clip(run.observation(o), 28), here ? tag("came", "accent") : null),
      el("td", { class: "n" }, signed(r)),
      el("td", { class: "n" }, chance(p)),
      el("td", { class: "wide" }, bar(p, here ? "" : "quiet")),
    );
  });
  if (rest > SMALL / 10)
    rows.push(
      el(
        "tr",
        {},
        el("th", { scope: "row", class: "muted" }, "all others"),
        el("td"),
        el("td", { class: "n" }, chance(rest)),
        el("td", { class: "wide" }, bar(rest, "quiet")),
      ),
    );
  const others =
    moment.actions.length > MOST_ACTIONS
      ? el(
          "select",
          { "aria-label": "Action", on: { change: (event) => choose(Number(event.target.value)) } },
          moment.actions.map((a) => el("option", { value: a.action, selected: a.action === action.action }, a.name)),
        )
      : null;
  return [
    el(
      "p",
      { class: "asked" },
      chosen ? "After " : "If it did ",
      others || el("strong", {}, action.name),
      chosen ? " it expects" : " it would expect",
      chosen
        ? null
        : el("button", { type: "button", on: { click: () => choose(moment.action) } }, "back to what it did"),
    ),
    table(
      `What it expects after ${action.name}`,
      ["sees", "reward", "probability", ""].map((h, k) =>
        h ? el("th", { scope: "col", class: k ? "n" : null }, h) : el("td"),
      ),
      rows,
      "percepts",
    ),
    el(
      "dl",
      { class: "facts" },
      fact("expected reward", number(action.reward)),
      fact("entropy", `${action.rest > LEFT_OUT ? "at least " : ""}${number(action.entropy)} bits`),
      came && known(came.surprise) ? fact("surprise", `${number(came.surprise)} bits`) : null,
      came && known(came.surprise)
        ? [
            fact("by the reward", number(came.surprise_reward)),
            fact("by what it saw", number(came.surprise_observation)),
          ]
        : null,
    ),
  ];
}
