"use strict";
// The timeline: reward and log loss over all cycles, which cycles are kept, where we are.

// Pixels, from top to bottom: reward, log loss, the track of what is kept, cycles, names of parts.
const TOP = 20,
  REWARD_HEIGHT = 130,
  LOSS_HEIGHT = 50,
  TRACK = 12,
  GAP = 28,
  LEFT = 46,
  RIGHT = 66,
  AXIS = 18,
  NAMES = 16;

class Timeline {
  constructor(box, readout, pick) {
    Object.assign(this, { box, readout, pick, width: 0, run: null });
    new ResizeObserver(() => {
      if (this.run && box.clientWidth !== this.width) this.draw(this.run);
    }).observe(box);
  }

  x(cycle) {
    return LEFT + (cycle / this.run.end) * (this.width - LEFT - RIGHT);
  }

  draw(run) {
    this.run = run;
    this.width = this.box.clientWidth;
    const lossTop = TOP + REWARD_HEIGHT + GAP,
      trackTop = lossTop + LOSS_HEIGHT + 12;
    const height = trackTop + TRACK + AXIS + (run.parts.length > 1 ? NAMES : 0);
    const { curve } = run,
      { random_reward: random, optimum } = run.environment;
    const plot = draw("svg", {
      width: this.width,
      height,
      role: "img",
      "aria-label": this.summary(),
      on: {
        click: (event) => this.clicked(event),
        pointermove: (event) => this.hover(event),
        pointerleave: () => this.read(null),
      },
    });
    this.partsOn(plot, trackTop + TRACK);
    const rewards = [...curve.reward, random, optimum].filter(known);
    this.axis(plot, rewards, TOP, TOP + REWARD_HEIGHT, (y, line) => {
      const levels = [
        [optimum, "best"],
        [random, "random"],
      ].filter(([value]) => known(value));
      const apart = levels.length > 1 ? Math.max(0, 12 - Math.abs(y(optimum) - y(random))) / 2 : 0; // of the labels
      for (const [value, kind] of levels) {
        plot.append(
          draw("line", { class: `level ${kind}`, x1: LEFT, x2: this.width - RIGHT, y1: y(value), y2: y(value) }),
          draw(
            "text",
            {
              class: `label ${kind}`,
              x: this.width - RIGHT + 6,
              y: y(value) + 4 + (kind === "best" ? -apart : apart),
            },
            kind,
          ),
        );
      }
      plot.append(draw("path", { class: "curve reward", d: line(curve.reward) }));
    });
    this.axis(plot, [0, ...curve.loss.filter(known)], lossTop, lossTop + LOSS_HEIGHT, (y, line) => {
      plot.append(draw("path", { class: "curve loss", d: line(curve.loss) }));
    });
    plot.append(
      draw("text", { class: "title", x: 0, y: TOP - 9 }, "reward per cycle"),
      draw("text", { class: "title", x: 0, y: lossTop - 9 }, "log loss, bits per percept"),
    );
    this.track(plot, trackTop);
    this.cyclesOn(plot, trackTop + TRACK + 14);
    this.mark = draw(
      "g",
      { class: "cursor" },
      draw("line", { y1: TOP - 4, y2: trackTop + TRACK }),
      draw("circle", { r: 4, cy: trackTop + TRACK / 2 }),
    );
    plot.append(this.mark);
    this.box.replaceChildren(plot);
    if (this.cycle !== undefined) this.cursor(this.cycle);
  }

  /** A vertical axis with its ticks; `inside` draws with a scale and a path. */
  axis(plot, values, top, bottom, inside) {
    let low = Math.min(...values),
      high = Math.max(...values);
    if (!values.length) {
      low = 0;
      high = 1;
    }
    if (low === high) {
      low -= 0.5;
      high += 0.5;
    }
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    for (const tick of ticks(low, high, bottom - top > 80 ? 4 : 2)) {
      plot.append(
        draw("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y(tick), y2: y(tick) }),
        draw("text", { class: "tick", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, number(tick, 2)),
      );
    }
    const line = (column) => {
      const { cycle } = this.run.curve;
      let path = "",
        open = false,
        before = null;
      column.forEach((value, i) => {
        const next = this.run.bucketEnd(i);
        const part = this.run.part(cycle[i]);
        if (!known(value) || (part !== before && before !== null)) open = false;
        before = part;
        if (!known(value)) return;
        const end = part ? Math.min(next, part.first + part.cycles) : next;
        path += `${open ? "L" : "M"}${this.x((cycle[i] + end) / 2).toFixed(1)} ${y(value).toFixed(1)}`;
        if (!open && (i + 1 === column.length || this.run.part(next) !== part)) path += "h0.1";
        open = true;
      });
      return path;
    };
    inside(y, line);
  }

  /** Where one part of the run ends and the next begins. */
  partsOn(plot, bottom) {
    this.run.parts.forEach((part, i) => {
      const a = this.x(part.first),
        b = this.x(part.first + part.cycles);
      if (i % 2)
        plot.append(
          draw("rect", { class: "part", x: a, width: Math.max(0, b - a), y: TOP - 4, height: bottom - TOP + 4 }),
        );
      if (i) plot.append(draw("line", { class: "boundary", x1: a, x2: a, y1: TOP - 4, y2: bottom }));
      const long = b - a > 6.5 * part.name.length + 8;
      if (this.run.parts.length > 1) {
        const at = long ? [(a + b) / 2, "middle"] : [Math.min(b, this.width - RIGHT) - 2, "end"];
        plot.append(draw("text", { class: "tick", x: at[0], y: bottom + AXIS + 12, "text-anchor": at[1] }, part.name));
      }
    });
  }

  /** The cycles that are kept, as bars; those with a full moment, as ticks; one for each pixel at most. */
  track(plot, top) {
    const { cycle } = this.run.steps;
    let bars = "",
      ticksOf = "",
      end = -1,
      start = -1,
      last = -9;
    const flush = () => {
      if (start >= 0) bars += `M${start} ${top + TRACK / 2}H${Math.max(end, start + 1)}`;
    };
    for (const each of cycle) {
      const a = Math.floor(this.x(each)),
        b = Math.ceil(this.x(each + 1));
      if (a <= end + 1 && start >= 0) {
        end = Math.max(end, b);
        continue;
      }
      flush();
      start = a;
      end = b;
    }
    flush();
    for (const i of this.run.full) {
      const a = Math.round(this.x(cycle[i] + 0.5));
      if (a === last) continue;
      last = a;
      ticksOf += `M${a} ${top}v${TRACK}`;
    }
    plot.append(draw("path", { class: "kept", d: bars }), draw("path", { class: "full", d: ticksOf }));
  }

  cyclesOn(plot, y) {
    const most = Math.max(2, Math.floor((this.width - LEFT - RIGHT) / 90));
    for (const tick of ticks(0, this.run.end, most)) {
      plot.append(draw("text", { class: "tick", x: this.x(tick), y, "text-anchor": "middle" }, number(tick)));
    }
  }

  summary() {
    const { curve } = this.run,
      rewards = curve.reward,
      losses = curve.loss.filter(known);
    if (!rewards.length) return "No cycles yet.";
    const loss = losses.length
      ? `; log loss from ${number(losses[0])} to ${number(losses.at(-1))} bits per percept`
      : "";
    const reward = `from ${number(rewards[0])} to ${number(rewards.at(-1))}`;
    return `Reward per cycle over ${number(this.run.end)} cycles, ${reward}${loss}.`;
  }

  cursor(cycle) {
    this.cycle = cycle;
    this.mark.setAttribute("transform", `translate(${this.x(cycle + 0.5).toFixed(1)} 0)`);
    this.read(null);
  }

  /** Says what the curve is at a cycle: where the pointer is, or where we are. */
  read(pointed) {
    const { curve } = this.run,
      cycle = pointed === null ? this.cycle : pointed;
    const i = curve.cycle.findLastIndex((first) => first <= cycle);
    if (i < 0) return say(this.readout, "");
    const next = this.run.bucketEnd(i),
      loss = curve.loss[i];
    return say(
      this.readout,
      `cycles ${number(curve.cycle[i])} to ${number(next - 1)}: reward ${number(curve.reward[i])}` +
        (known(loss) ? `, log loss ${number(loss)}` : ""),
    );
  }

  at(event) {
    const x = event.clientX - this.box.getBoundingClientRect().left;
    return Math.max(
      0,
      Math.min(this.run.end - 1, Math.round(((x - LEFT) / (this.width - LEFT - RIGHT)) * this.run.end)),
    );
  }

  clicked(event) {
    this.pick(this.at(event));
  }
  hover(event) {
    this.read(this.at(event));
  }
}
