"use strict";
// The page: where we are in the run, what moves it, what is shown anew. Live pages use `mind.start` and `mind.append`.

const SPEAK = 400; // milliseconds without a move until the cycle is spoken and written into the address

const mind = (() => {
  const live = document.documentElement.dataset.live;
  let run = null,
    at = 0,
    shown = null,
    stage = null,
    playing = false,
    follow = Boolean(live),
    later = 0;
  const timeline = new Timeline($("chart"), $("readout"), (cycle) => go(run.nearest(cycle)));
  const body = (id) => $(id).querySelector(".body");

  /** Puts new content into a panel, which never becomes lower: what is below it stays where it is. */
  function put(id, content) {
    const node = body(id);
    node.replaceChildren(...content.filter(Boolean));
    const least = parseFloat(node.style.minHeight) || 0;
    if (node.offsetHeight > least + 1) node.style.minHeight = `${node.offsetHeight}px`;
  }

  /** Goes to a step, and shows what is there. */
  function go(i, own = true) {
    if (!run || !run.count) return;
    at = Math.max(0, Math.min(run.count - 1, i));
    if (own && live) setFollow(at === run.count - 1);
    shown = null;
    stage = null;
    show();
  }

  function show() {
    const step = run.at(at),
      moment = run.moment(at),
      part = run.part(step.cycle);
    bounds();
    $("scrubber").setAttribute("aria-valuetext", `cycle ${number(step.cycle)}${part ? `, ${part.name}` : ""}`);
    say($("cycle"), number(step.cycle));
    say($("part"), part ? part.name : "");
    timeline.cursor(step.cycle);
    put("world", worldPanel(run, at));
    showMoment(moment || (live && follow && !playing ? run.latest() : null));
    showTree(step.cycle);
    clearTimeout(later);
    if (!playing && !(live && follow)) later = setTimeout(settled, SPEAK);
  }

  /** Shows how far one can go from here. */
  function bounds() {
    $("scrubber").max = run.count - 1;
    $("scrubber").value = at;
    for (const [id, direction] of [
      ["previous-moment", -1],
      ["next-moment", 1],
    ])
      disable($(id), run.beside(at, direction) < 0);
    disable($("back"), at === 0);
    disable($("forward"), at === run.count - 1);
  }

  /** A button that does nothing now; it keeps the focus that it has. */
  const disable = (button, off) => button.setAttribute("aria-disabled", String(off));

  let told = null; // the moment that is shown: while one follows, of an earlier cycle where the newest has none
  function showMoment(moment) {
    const ids = ["decision", "expectation", "belief", "plan", "words"];
    const earlier = moment && moment.cycle !== run.steps.cycle[at];
    told = moment;
    for (const id of ids) {
      $(id).classList.toggle("absent", !moment);
      $(id).querySelector("h2").dataset.of = earlier ? ` · cycle ${number(moment.cycle)}` : "";
    }
    if (!moment) {
      for (const id of ids) put(id, absent(run, at, go));
      return;
    }
    const action = shown === null ? moment.action : shown;
    const focused = document.activeElement && document.activeElement.dataset.action;
    put("decision", decisionPanel(run, moment, action, choose));
    put("expectation", expectationPanel(run, moment, action, choose));
    put("belief", beliefPanel(run, moment));
    put("plan", planPanel(run, moment));
    put("words", wordsPanel(moment));
    if (focused !== undefined && focused !== null) {
      const button = document.querySelector(`button[data-action="${Number(focused)}"]`);
      if (button) button.focus({ preventScroll: true });
    }
  }

  function choose(action) {
    if (live && follow) {
      setFollow(false); // or the next cycle would take it away
      go(run.nearest(told.cycle), false);
    }
    shown = action;
    showMoment(told);
    speak(`What it expects after ${run.action(action)}`);
  }

  let treeShown = null;
  function showTree(cycle) {
    const here = run.treeAt(cycle),
      which = stage === null ? here : stage,
      tree = run.trees[which];
    $("tree").hidden = !run.trees.length;
    $("stages").hidden = run.trees.length < 2;
    $("stage").max = Math.max(0, run.trees.length - 1);
    $("stage").value = Math.max(0, which);
    $("stage-back").hidden = stage === null || stage === here;
    say(
      $("stage-said"),
      tree
        ? `${which + 1} of ${run.trees.length}, after cycle ${number(tree.cycle)}`
        : `none yet, the first comes at cycle ${number((run.trees[0] || {}).cycle)}`,
    );
    if (tree === treeShown && tree) return;
    const open = [...body("tree").querySelectorAll("details")].map((each) => each.open);
    body("tree").replaceChildren(...(tree ? treePanel(tree) : [note("At this cycle no tree was kept yet.")]));
    body("tree")
      .querySelectorAll("details")
      .forEach((each, i) => {
        each.open = Boolean(open[i]);
      });
    treeShown = tree;
  }

  /** Some time after the last move: the address names the cycle, and a screen reader says what happened. */
  function settled() {
    const step = run.at(at);
    try {
      history.replaceState(null, "", `#c=${step.cycle}`);
    } catch {
      // a page inside another one may have no address of its own
    }
    const seen = `saw ${run.observation(step.observation)}, reward ${signed(step.reward)}`;
    speak(`Cycle ${number(step.cycle)}: did ${run.action(step.action)}, ${seen}`);
  }

  const speak = (text) => {
    if (!playing) say($("spoken"), text);
  };

  // Playing: as many steps as are due at each frame, so that a slow browser skips some and does not lag.
  function play(on) {
    playing = on && run !== null && run.count > 1;
    say($("play"), playing ? "Pause" : "Play");
    $("play").setAttribute("aria-pressed", String(playing));
    if (!playing) {
      if (run && run.count) show();
      return;
    }
    if (at === run.count - 1 && !live) go(0);
    let last = null,
      due = 0;
    const frame = (now) => {
      if (!playing) return;
      due += last === null ? 0 : Math.min(1, (now - last) / 1000) * Number($("speed").value);
      last = now;
      if (due >= 1) {
        const steps = Math.floor(due);
        due -= steps;
        go(at + steps);
        if (at === run.count - 1) return play(false);
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function setFollow(on) {
    follow = on;
    $("follow").setAttribute("aria-pressed", String(on));
  }

  function moment(direction) {
    const j = run ? run.beside(at, direction) : -1;
    if (j >= 0) go(j);
  }

  const KEYS = {
    " ": () => play(!playing),
    ArrowLeft: (event) => go(at - (event.shiftKey ? 10 : 1)),
    ArrowRight: (event) => go(at + (event.shiftKey ? 10 : 1)),
    Home: () => go(0),
    End: () => go(Infinity),
    "[": () => moment(-1),
    "]": () => moment(1),
    f: () => {
      if (live) {
        setFollow(true);
        go(Infinity);
      }
    },
    "?": () => $("keys").showModal(),
  };

  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || $("keys").open || !KEYS[event.key]) return;
    const own = event.target.closest("select, summary, #stage, [role=region], pre");
    const button = event.target.closest("button, summary");
    if ((event.key === " " && button) || (own && event.key !== "?" && event.key !== "[" && event.key !== "]")) return;
    event.preventDefault();
    KEYS[event.key](event);
  }

  function fromAddress() {
    const found = /^#c=(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }

  /** Shows a run from its beginning, or from the cycle that the address names. */
  function start(data) {
    const cycle = run && run.count ? run.steps.cycle[at] : fromAddress();
    run = new Run(data);
    treeShown = null;
    showHead(run);
    showScore(run);
    $("follow").hidden = !live;
    setFollow(follow);
    timeline.draw(run);
    if (!run.count) return say($("readout"), "No cycles yet.");
    go(
      live && follow ? run.count - 1 : cycle !== null ? run.nearest(cycle) : run.full.length ? run.full[0] : 0,
      false,
    );
  }

  /** Takes in what a live run has added. */
  function append(update) {
    const empty = run.count === 0,
      gone = run.append(update);
    if (update.score) showScore(run);
    if (update.status !== undefined) status(update.status);
    if (gone)
      say(
        $("thinned"),
        `${number(run.dropped)} older cycles were dropped: this page keeps the last ${number(LIVE_STEPS)}.`,
      );
    if (!run.count) return;
    timeline.draw(run);
    if (empty || at < gone || (follow && !playing)) return go(follow ? run.count - 1 : at - gone, false);
    at -= gone;
    bounds();
  }

  function status(text) {
    $("status").hidden = !text;
    say($("status"), text);
  }

  function listen() {
    const source = new EventSource(live);
    source.addEventListener("begin", (event) => {
      start(JSON.parse(event.data));
      status("live");
    });
    source.addEventListener("update", (event) => {
      if (run) append(JSON.parse(event.data));
    });
    source.addEventListener("end", () => {
      source.close();
      status("The run has ended.");
    });
    source.onerror = () => status("The connection is lost; trying again.");
  }

  $("help").addEventListener("click", () => $("keys").showModal());
  $("play").addEventListener("click", () => play(!playing));
  $("back").addEventListener("click", () => go(at - 1));
  $("forward").addEventListener("click", () => go(at + 1));
  $("previous-moment").addEventListener("click", () => moment(-1));
  $("next-moment").addEventListener("click", () => moment(1));
  $("follow").addEventListener("click", () => {
    if (follow) setFollow(false);
    else KEYS.f();
  });
  $("scrubber").addEventListener("input", (event) => go(Number(event.target.value)));
  $("stage").addEventListener("input", (event) => {
    stage = Number(event.target.value);
    showTree(run.steps.cycle[at]);
  });
  $("stage-back").addEventListener("click", () => {
    stage = null;
    showTree(run.steps.cycle[at]);
    $("stage").focus();
  });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", () => {
    const cycle = fromAddress();
    if (run && cycle !== null) go(run.nearest(cycle));
  });
  addEventListener("resize", () => {
    for (const node of document.querySelectorAll(".body")) node.style.minHeight = "";
  });
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });

  const data = JSON.parse($("data").textContent);
  if (data) start(data);
  if (live) listen();
  return { start, append };
})();
