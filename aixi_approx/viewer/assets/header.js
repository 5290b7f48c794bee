"use strict";
// The head of the page: whose mind it is, how good it was; light or dark.

/** Whose mind it is. */
function showHead(run) {
  const { environment, data } = run;
  say($("name"), environment.name || "an environment");
  document.title = `${environment.name} · the mind of an agent`;
  say($("version"), data.version ? ` · aixi_approx ${data.version}` : "");
  $("agent").replaceChildren(
    ...(data.agent || []).map(([label, value]) => el("span", {}, `${label} `, el("b", {}, value))),
  );
  say($("thinned"), data.thinned || "");
  $("rules").replaceChildren(
    el("p", { class: "rules" }, environment.rules || ""),
    el(
      "dl",
      { class: "facts" },
      fact("actions", (environment.actions || []).join(", ")),
      fact("rewards", environment.rewards || "–"),
      environment.hidden ? fact("hidden", environment.hidden) : null,
    ),
  );
  $("legend").replaceChildren(key("kept", "cycles that can be replayed"), key("full", "decisions that are explained"));
}

/** How good it was. */
function showScore(run) {
  const { score, environment } = run.data;
  const facts = [];
  if (score && known(score.score))
    facts.push(fact("score", number(score.score, 4), el("small", {}, "0 random, 1 best")));
  if (score && known(score.reward))
    facts.push(
      fact(
        "reward per cycle",
        number(score.reward, 4),
        known(score.low) ? el("small", {}, `95 % in ${number(score.low)} to ${number(score.high)}`) : null,
      ),
    );
  if (known(environment.optimum)) facts.push(fact("best", number(environment.optimum, 4)));
  if (known(environment.random_reward)) facts.push(fact("random", number(environment.random_reward, 4)));
  $("score").replaceChildren(...facts);
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
const themeSaid = () => say($("theme"), dark() ? "Light" : "Dark");

$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  themeSaid();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeSaid);
themeSaid();
