"use strict";
// The recording: steps in columns, pictures as changes, moments and trees by cycle; on a live page it grows.

const LIVE_STEPS = 5000; // that a live page keeps: some minutes of a fast agent, some megabytes
const LIVE_PICTURES = 4 * LIVE_STEPS; // older ones go, unless a step that is kept shows them

class Run {
  constructor(data) {
    const none = { cycle: [], action: [], observation: [], reward: [], explored: [], loss: [], mean: [], picture: [] };
    this.data = data;
    this.environment = data.environment || {};
    this.steps = Object.assign(none, data.steps);
    this.pictures = data.pictures || [];
    this.moments = data.moments || {};
    this.trees = data.trees || [];
    this.parts = data.parts || [];
    this.curve = data.curve || { cycle: [], reward: [], loss: [] };
    this.dropped = 0; // steps that a live page has dropped
    this.firstPicture = data.first_picture || 0; // number of the oldest picture that is kept
    this.drawn = new Map(); // pictures as they were put together, some of them
    this.find();
  }

  /** Finds the steps that have a full moment. */
  find() {
    this.full = [];
    this.steps.cycle.forEach((cycle, i) => {
      if (this.moments[cycle]) this.full.push(i);
    });
  }

  get count() {
    return this.steps.cycle.length;
  }

  /** The first cycle after all, of what is recorded or was announced. */
  get end() {
    const last = this.count ? this.steps.cycle[this.count - 1] + 1 : 0;
    return Math.max(1, last, ...this.parts.map((part) => part.first + part.cycles));
  }

  /** The first cycle after a bucket of the curve; the last one is as wide as those before it, at most. */
  bucketEnd(i) {
    const { cycle } = this.curve;
    if (i + 1 < cycle.length) return cycle[i + 1];
    return Math.min(this.end, i > 0 ? 2 * cycle[i] - cycle[i - 1] : this.end);
  }

  at(i) {
    const step = {};
    for (const name of Object.keys(this.steps)) step[name] = this.steps[name][i];
    return step;
  }

  /** The step whose cycle is nearest. */
  nearest(cycle) {
    const cycles = this.steps.cycle;
    let low = 0,
      high = cycles.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cycles[middle] < cycle) low = middle + 1;
      else high = middle;
    }
    return low > 0 && cycle - cycles[low - 1] <= cycles[low] - cycle ? low - 1 : low;
  }

  moment(i) {
    return this.moments[this.steps.cycle[i]] || null;
  }

  /** The newest full moment; null if there is none. */
  latest() {
    return this.full.length ? this.moment(this.full[this.full.length - 1]) : null;
  }

  /** The step of the full moment before or after a step; -1 if there is none. */
  beside(i, direction) {
    const found = direction > 0 ? this.full.find((j) => j > i) : this.full.findLast((j) => j < i);
    return found === undefined ? -1 : found;
  }

  part(cycle) {
    return this.parts.findLast((part) => part.first <= cycle) || null;
  }

  /** The position of the latest tree at a cycle; -1 if there is none. */
  treeAt(cycle) {
    return this.trees.findLastIndex((tree) => tree.cycle <= cycle);
  }

  action(a) {
    const names = this.environment.actions || [];
    return a in names ? names[a] : `action ${a}`;
  }

  observation(o) {
    const names = this.environment.observations || [];
    return o in names ? names[o] : names.length ? `observation ${o}` : String(o);
  }

  /** The picture of a number: the last one that stands there whole, and the changes since. */
  picture(n) {
    if (n < this.firstPicture || n === undefined) return null;
    if (this.drawn.has(n)) return this.drawn.get(n);
    let whole = n - this.firstPicture;
    while (whole > 0 && typeof this.pictures[whole] !== "string") whole--;
    if (typeof this.pictures[whole] !== "string") return null;
    const letters = Array.from(this.pictures[whole]);
    for (let i = whole + 1; i <= n - this.firstPicture; i++) {
      const change = this.pictures[i];
      for (let j = 0; j < change.length; j += 2) {
        Array.from(change[j + 1]).forEach((letter, k) => {
          letters[change[j] + k] = letter;
        });
      }
    }
    if (this.drawn.size > 200) this.drawn.clear();
    const text = letters.join("");
    this.drawn.set(n, text);
    return text;
  }

  /** Takes in what a live run has added; returns how many steps at the beginning were dropped. */
  append(update) {
    for (const [name, column] of Object.entries(update.steps || {})) this.steps[name].push(...column);
    this.pictures.push(...(update.pictures || []));
    Object.assign(this.moments, update.moments);
    this.trees.push(...(update.trees || []));
    for (const name of ["curve", "parts", "score"]) {
      if (update[name]) {
        this[name] = update[name];
        this.data[name] = update[name];
      }
    }
    const many = Math.max(0, this.count - LIVE_STEPS);
    if (many) {
      for (const cycle of this.steps.cycle.slice(0, many)) delete this.moments[cycle];
      for (const column of Object.values(this.steps)) column.splice(0, many);
      this.dropped += many;
    }
    const old = this.pictures.length - LIVE_PICTURES;
    if (old > LIVE_STEPS) {
      const needed = this.steps.picture.reduce((least, n) => (n >= 0 && n < least ? n : least), Infinity);
      const go = Math.min(old, needed - this.firstPicture);
      if (go > 0) {
        this.pictures.splice(0, go);
        this.firstPicture += go;
      }
    }
    this.find();
    return many;
  }
}
