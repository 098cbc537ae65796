/** Schedules drawing: all parts together before a frame, and each at most as often as it allows. */

/**
 * @typedef {object} Part
 * @property {() => void} draw
 * @property {number} everyMs how often it may be drawn
 * @property {() => boolean} [isVisible] hidden parts wait
 */

export class Scheduler {
  /** @type {Map<Part, number>} when each part that wants to be drawn may be */
  #due = new Map();
  /** @type {WeakMap<Part, number>} */
  #drawnAt = new WeakMap();
  #frame = 0;
  #timer = 0;

  /**
   * Asks for a part to be drawn. Cheap: it may be called for every event.
   *
   * @param {Part} part
   * @param {{ now?: boolean }} [options] `now` for user actions: drawn in the next frame
   */
  ask(part, { now = false } = {}) {
    if (this.#due.has(part) && !now) return;
    const last = this.#drawnAt.get(part) ?? Number.NEGATIVE_INFINITY;
    this.#due.set(part, now ? 0 : last + part.everyMs);
    this.#plan();
  }

  #plan() {
    if (this.#frame !== 0 || this.#due.size === 0) return;
    const wait = Math.min(...this.#due.values()) - performance.now();
    window.clearTimeout(this.#timer);
    if (wait <= 0) this.#frame = requestAnimationFrame(() => this.#draw());
    else this.#timer = window.setTimeout(() => this.#plan(), wait);
  }

  #draw() {
    this.#frame = 0;
    const now = performance.now();
    for (const [part, due] of this.#due) {
      if (due > now) continue;
      this.#due.delete(part);
      // It is requested again when it becomes visible.
      if (part.isVisible?.() === false) continue;
      this.#drawnAt.set(part, now);
      part.draw();
    }
    this.#plan();
  }
}
