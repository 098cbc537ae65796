/** The models and views of the page, and which model change redraws which view. */
import { AlertsPane } from "./alerts.js";
import { ConfiguredHooks } from "./configured-hooks.js";
import { byId } from "./dom.js";
import { rowOf } from "./events.js";
import { FeedView } from "./feed-view.js";
import { drawFeedHead } from "./feed-head.js";
import { Feed } from "./feed-state.js";
import { EVERYTHING } from "./filter.js";
import { FilterView } from "./filter-view.js";
import { Hooks } from "./hooks-state.js";
import { HooksPane } from "./hooks-pane.js";
import { Inspector } from "./inspector.js";
import { listenToKeys, showKeys } from "./keys.js";
import { Address } from "./address.js";
import { Overview } from "./overview.js";
import { Scheduler } from "./scheduler.js";
import { fetchJson } from "./session.js";
import { Sessions } from "./sessions-state.js";
import { StoredFacts } from "./stored-facts.js";
import { SessionsView } from "./sessions-view.js";
import { listenToSearch } from "./search.js";
import { SourcesView } from "./sources-view.js";
import { StoredPanes } from "./stored-panes.js";
import { Views } from "./views.js";

/** @typedef {import("./values.js").DashboardEvent} DashboardEvent */

export class Board {
  #feed = new Feed();
  #sessions = new Sessions();
  #facts = new StoredFacts(fetchJson, this.#sessions);
  #hooks = new Hooks();
  #configured = new ConfiguredHooks();
  #models = { sessions: this.#sessions, hooks: this.#hooks, configured: this.#configured };
  #scheduler = new Scheduler();
  #views = new Views(() => {
    this.#drawAll();
    void this.poll();
  });
  #overview = new Overview();
  address = new Address(
    (choice) => this.#open(choice),
    (seq) => this.#feed.find(seq),
    fetchJson,
  );
  #firstAt = 0;
  #isVisible = (/** @type {import("./views.js").View} */ view) => this.#views.isVisible(view);

  #filterView = new FilterView((filter) => this.#filter(filter));
  #inspector = new Inspector(this.#models, {
    onChoice: () => this.#chosen(),
    onFilter: (session) => this.#filterBy({ session }),
    onHook: (hook) => this.#filterBy({ hook }),
    onClose: () => this.#close(),
    onStored: () => void this.poll(),
  });
  #feedView = new FeedView(byId("rows", HTMLElement), this.#feed, {
    onChange: () => this.#drawNow(this.#parts.feed),
    onOpen: (row) => this.#open({ kind: "event", row }),
  });
  #sessionsView = new SessionsView(byId("sessions-list", HTMLElement), this.#sessions, (id) =>
    this.#open({ kind: "session", id }),
  );
  #hooksPane = new HooksPane(this.#models, {
    onSort: () => this.#drawNow(this.#parts.hooks),
    onOpen: (key) => this.#open({ kind: "hook", key }),
  });
  #sourcesView = new SourcesView();
  #alerts = new AlertsPane(this.#models, (target) => this.#openAlert(target));
  #stored = new StoredPanes({
    onOpen: (choice) => this.#open(choice),
    onFilter: () => void this.poll(),
  });

  #parts = {
    feed: this.#part("feed", 0, () => this.#drawFeed()),
    sessions: this.#part("sessions", 250, () => this.#drawSessions()),
    hooks: this.#part("hooks", 500, () => this.#hooksPane.draw(this.#inspector.hookKey, this.#firstAt)),
    sources: this.#part("sources", 500, () => this.#sourcesView.draw()),
    tasks: this.#part("tasks", 250, () => this.#stored.draw("task", this.#inspector.storedId("task"))),
    webhooks: this.#part("webhooks", 250, () => this.#stored.draw("delivery", this.#inspector.storedId("delivery"))),
    daemons: this.#part("daemons", 250, () => this.#stored.draw("daemon", this.#inspector.storedId("daemon"))),
    replay: this.#part("replay", 1000, () => this.#stored.drawReplay()),
    inspector: {
      everyMs: 100,
      draw: () => this.#inspector.draw(),
      isVisible: () => this.#views.isWide || this.#inspector.choice.kind !== "follow",
    },
    alerts: { everyMs: 500, draw: () => this.#alerts.draw() },
    summary: { everyMs: 1000, draw: () => this.#overview.draw(this.#sessions.list(), this.#filterView) },
  };

  /** @param {{ onTheme: () => void }} handlers */
  constructor({ onTheme }) {
    byId("pause", HTMLButtonElement).addEventListener("click", () => this.#togglePause());
    byId("feed-back", HTMLButtonElement).addEventListener("click", () => this.#resume());
    byId("keys-open", HTMLButtonElement).addEventListener("click", showKeys);
    document.addEventListener("visibilitychange", () => this.#drawAll());
    // Relative times change every second, even when nothing happens.
    window.setInterval(() => this.#drawTimes(), 1000);
    listenToSearch((id) => this.#open({ kind: "session", id }));
    listenToKeys({
      list: byId("rows", HTMLElement),
      filter: () => this.#focusFilter(),
      togglePause: () => this.#togglePause(),
      move: (by) => this.#move(by),
      open: () => this.#feedView.open(),
      close: () => this.#close(),
      view: (index) => void this.#focusView(index),
      theme: onTheme,
      help: showKeys,
      page: () => this.#feedView.page,
    });
    this.#drawAll();
  }

  /** The number of the newest event, 0 before the first. */
  get lastSeq() {
    return this.#feed.last;
  }

  /**
   * Takes an event; changes are drawn in the next frame.
   *
   * @param {DashboardEvent} event
   */
  add(event) {
    if (this.#firstAt === 0) this.#firstAt = event.at;
    this.#overview.noteSource(event.src);
    const row = rowOf(event);
    this.#feed.add(row);
    this.address.arrived(row);
    for (const part of [this.#parts.feed, this.#parts.summary, this.#parts.alerts]) this.#scheduler.ask(part);
    if (this.#hooks.add(event)) this.#scheduler.ask(this.#parts.hooks);
    const session = this.#sessions.add(event);
    if (session === undefined) return;
    this.#scheduler.ask(this.#parts.sessions);
    // An open event is drawn once, unless it is a text that grows.
    const { choice } = this.#inspector;
    if (choice.kind !== "event" || choice.row.pieces !== undefined) this.#scheduler.ask(this.#parts.inspector);
  }

  /** Forgets all events. */
  clear() {
    this.#feed.clear();
    this.#sessions.clear();
    this.#hooks.clear();
    this.#overview.clear();
    this.#alerts.clear();
    this.#firstAt = 0;
    this.#inspector.choose({ kind: "follow" });
    this.#drawAll();
  }

  /** @param {import("./session.js").Status} status */
  setStatus(status) {
    this.#overview.setStatus(status);
    this.#alerts.setStatus(status);
    this.#sourcesView.set(status.sources);
    this.#scheduler.ask(this.#parts.sources);
    this.#scheduler.ask(this.#parts.summary);
  }

  /** Reads what is stored again, as far as somebody looks at it. */
  async poll() {
    if (document.hidden || byId("main", HTMLElement).hidden) return;
    await Promise.all([
      this.#alerts.refresh(),
      this.#hooksPane.refresh().then((isRead) => isRead && this.#chosen()),
      this.#stored.refresh(this.#isVisible, (view) => this.#drawNow(this.#parts[view])),
      this.#inspector.refresh().then((isNew) => isNew && this.#drawNow(this.#parts.inspector)),
      this.#facts.refresh().then((isNew) => isNew && this.#chosen()),
    ]);
  }

  /** @param {number} missed */
  noteMissed(missed) {
    this.#overview.noteMissed(missed);
    this.#scheduler.ask(this.#parts.summary);
  }

  /**
   * @param {import("./views.js").View} view
   * @param {number} everyMs
   * @param {() => void} draw
   */
  #part(view, everyMs, draw) {
    return { everyMs, draw, isVisible: () => this.#views.isVisible(view) };
  }

  /** @param {import("./scheduler.js").Part} part */
  #drawNow(part) {
    this.#scheduler.ask(part, { now: true });
  }

  #drawAll() {
    for (const part of Object.values(this.#parts)) this.#drawNow(part);
  }

  #drawTimes() {
    const { sessions, hooks, sources, tasks, webhooks, daemons, replay, alerts, inspector } = this.#parts;
    for (const part of [sessions, hooks, sources, tasks, webhooks, daemons, replay, alerts]) this.#scheduler.ask(part);
    if (this.#inspector.choice.kind !== "event") this.#scheduler.ask(inspector);
  }

  #drawFeed() {
    this.#feedView.draw();
    drawFeedHead(this.#feed, this.#feedView.isPaused);
  }

  #drawSessions() {
    byId("sessions-empty", HTMLElement).hidden = this.#sessions.size > 0;
    this.#sessionsView.select(this.#inspector.sessionId);
    this.#sessionsView.draw();
  }

  /** @param {import("./filter.js").Filter} filter */
  #filter(filter) {
    this.#feed.setFilter(filter);
    this.#feedView.filtered();
  }

  /** @param {Partial<import("./filter.js").Filter>} part */
  #filterBy(part) {
    this.#filterView.set({ ...EVERYTHING, ...part });
    this.#close();
    this.#views.show("feed");
  }

  #focusFilter() {
    this.#close();
    this.#views.show("feed");
    this.#filterView.focus();
  }

  /** @param {number} index */
  async #focusView(index) {
    this.#views.focus(index);
    const focused = document.activeElement;
    await this.poll();
    // A list that was empty until now has something to focus once it is drawn.
    requestAnimationFrame(() => document.activeElement === focused && this.#views.focus(index));
  }

  #togglePause() {
    if (this.#feedView.isPaused) this.#resume();
    else this.#feedView.pause();
  }

  #resume() {
    this.#feedView.resume();
    // The pressed button disappears, but the focus must stay.
    byId("rows", HTMLElement).focus({ preventScroll: true });
  }

  /** @param {number} by */
  #move(by) {
    this.#views.show("feed");
    byId("rows", HTMLElement).focus({ preventScroll: true });
    this.#feedView.move(by);
    const row = this.#feedView.current;
    if (this.#inspector.choice.kind === "event" && row !== undefined) this.#inspector.choose({ kind: "event", row });
  }

  /** @param {import("./inspector.js").Choice} choice */
  #open(choice) {
    this.address.forget();
    this.#inspector.choose(choice);
    if (!this.#views.isWide) this.#inspector.focus();
    void this.poll();
  }

  /** @param {import("./alerts-state.js").Target} target */
  #openAlert(target) {
    if ("session" in target) return this.#open({ kind: "session", id: target.session });
    if ("hook" in target) return this.#open({ kind: "hook", key: target.hook });
    this.#close();
    this.#views.show(target.view);
  }

  #chosen() {
    this.address.show(this.#inspector.choice);
    const { inspector, sessions, hooks, tasks, webhooks, daemons } = this.#parts;
    for (const part of [inspector, sessions, hooks, tasks, webhooks, daemons]) this.#drawNow(part);
  }

  /** Back to the latest, one step at a time: first out of the details, then out of the list. */
  #close() {
    if (this.#inspector.choice.kind === "follow") return this.#feedView.leave();
    const { hasFocus } = this.#inspector;
    const { hookKey: hook } = this.#inspector;
    const { kind } = this.#inspector.choice;
    this.#inspector.choose({ kind: "follow" });
    if (!hasFocus) return;
    if (kind === "session" && this.#views.current === "sessions") this.#sessionsView.focus();
    else if (!(this.#isVisible("hooks") && this.#hooksPane.focus(hook)) && !this.#stored.focus(kind, this.#isVisible))
      byId("rows", HTMLElement).focus({ preventScroll: true });
  }
}
