/** The details pane: one event, the turns of one session, one task, one delivery or one daemon. */
import { DaemonDetailsView } from "./daemon-details.js";
import { byId, el, setText } from "./dom.js";
import { button, eventView } from "./event-view.js";
import { fullTime, shortId } from "./format.js";
import { hookDetails } from "./hook-details.js";
import { nameOfHook } from "./hooks-state.js";
import { fetchJson } from "./session.js";
import { nameOf } from "./sessions-state.js";
import { badWords, stateWords } from "./sessions-view.js";
import { deliveryDetails, taskDetails } from "./stored-details.js";
import { StoredResource } from "./stored-list.js";
import { sessionActions, storedMessages } from "./stored-session.js";
import { TimelineView } from "./timeline-view.js";
import { usageOf, usageWords } from "./usage.js";

/** @typedef {import("./events.js").Row} Row */
/** @typedef {import("./stored-panes.js").StoredName} StoredName */
/** @typedef {import("./stored-list.js").TaskDetails} TaskDetails */
/** @typedef {import("./stored-list.js").DeliveryDetails} DeliveryDetails */
/** @typedef {import("./stored-list.js").DaemonDetails} DaemonDetails */
/** @typedef {import("./stored-session.js").StoredSession} StoredSession */

const STORED_TITLES = { task: "Task", delivery: "Delivery", daemon: "Daemon" };

/**
 * What the pane shows. `follow`: nothing is selected, so it shows the most active session. `gone`: an event that is no
 * longer kept. `note` says why it is this session.
 *
 * @typedef {{ kind: "follow" } | { kind: "event", row: Row } | { kind: "session", id: string, note?: string } |
 *   { kind: "gone", seq: number } | { kind: "hook", key: string } | { kind: StoredName, id: string }} Choice
 */

export class Inspector {
  #pane = byId("inspector", HTMLElement);
  #title = byId("inspector-title", HTMLElement);
  #subtitle = byId("inspector-subtitle", HTMLElement);
  #note = byId("inspector-note", HTMLElement);
  #body = byId("inspector-body", HTMLElement);
  #close = byId("inspector-close", HTMLButtonElement);
  #timeline;
  #sessions;
  #hooks;
  #configured;
  #daemon;
  #handlers;
  /** @type {Choice} */
  #choice = { kind: "follow" };
  #followed = "";
  /** @type {StoredResource<TaskDetails | DeliveryDetails | DaemonDetails | StoredSession>} */
  #stored = new StoredResource(fetchJson);
  /** What the body shows, so that it is only rebuilt for something else. */
  #holds = "";

  /**
   * @param {{ sessions: import("./sessions-state.js").Sessions, hooks: import("./hooks-state.js").Hooks,
   *   configured: import("./configured-hooks.js").ConfiguredHooks }} models
   * @param {{ onChoice: () => void, onFilter: (session: string) => void, onHook: (key: string) => void,
   *   onClose: () => void, onStored: () => void }} handlers
   */
  constructor({ sessions, hooks, configured }, handlers) {
    this.#sessions = sessions;
    this.#hooks = hooks;
    this.#configured = configured;
    this.#handlers = handlers;
    this.#daemon = new DaemonDetailsView({
      onSession: (id) => this.choose({ kind: "session", id }),
      onFilter: () => {
        this.#point();
        handlers.onStored();
      },
    });
    this.#timeline = new TimelineView(this.#body, () => handlers.onChoice());
    this.#close.addEventListener("click", () => handlers.onClose());
  }

  get choice() {
    return this.#choice;
  }

  /** The session whose turns are shown; "" when it is an event. */
  get sessionId() {
    if (this.#choice.kind === "session") return this.#choice.id;
    return this.#choice.kind === "follow" ? this.#follow() : "";
  }

  /** The key of the hook that is shown; "" for none. */
  get hookKey() {
    return this.#choice.kind === "hook" ? this.#choice.key : "";
  }

  /** The entry of this kind that is shown; "" for none. @param {StoredName} kind */
  storedId(kind) {
    return this.#choice.kind === kind ? this.#choice.id : "";
  }

  /** Reads the task, delivery or daemon again that is shown. Resolves with whether it is different. */
  async refresh() {
    const choice = this.#choice;
    const isPast = choice.kind === "session" && this.#sessions.get(choice.id) === undefined;
    return isPast || Object.hasOwn(STORED_TITLES, choice.kind) ? this.#stored.refresh() : false;
  }

  /** @param {Choice} choice */
  choose(choice) {
    if (choice.kind === "daemon" && this.storedId("daemon") !== choice.id) this.#daemon.clear();
    this.#choice = choice;
    this.#point();
    document.body.classList.toggle("inspecting", choice.kind !== "follow");
    this.#close.hidden = choice.kind === "follow";
    this.#handlers.onChoice();
  }

  focus() {
    (this.#close.hidden ? this.#body : this.#close).focus();
  }

  /** Whether the focus is in the pane. */
  get hasFocus() {
    return this.#pane.contains(document.activeElement);
  }

  draw() {
    const note = this.#choice.kind === "session" ? (this.#choice.note ?? "") : "";
    this.#note.hidden = note === "";
    setText(this.#note, note);
    if (this.#choice.kind === "gone") this.#drawGone(this.#choice.seq);
    else if (this.#choice.kind === "event") this.#drawEvent(this.#choice.row);
    else if (this.#choice.kind === "hook") this.#drawHook(this.#choice.key);
    else if (this.#choice.kind === "daemon") this.#drawDaemon(this.#choice.id);
    else if ("id" in this.#choice && this.#choice.kind !== "session")
      this.#drawStored(this.#choice.kind, this.#choice.id);
    else this.#drawSession(this.sessionId, this.#choice.kind === "follow");
  }

  /** @param {number} seq */
  #drawGone(seq) {
    setText(this.#title, `Event ${seq}`);
    setText(this.#subtitle, "No longer kept");
    if (!this.#hold(`gone ${seq}`)) return;
    const words = "The dashboard no longer has this event: it keeps the last 10,000, fewer if they are large.";
    this.#body.replaceChildren(el("p", { class: "empty" }, words));
  }

  /** Reads from where the details are from now on. */
  #point() {
    const choice = this.#choice;
    if (choice.kind === "session") this.#stored.point(`api/sessions/${encodeURIComponent(choice.id.toWellFormed())}`);
    if (choice.kind === "task") this.#stored.point(`api/tasks/${choice.id}`);
    if (choice.kind === "delivery") this.#stored.point(`api/deliveries/${choice.id}`);
    if (choice.kind === "daemon") this.#stored.point(this.#daemon.path(choice.id));
  }

  /** @param {Row} row */
  #drawEvent(row) {
    setText(this.#title, row.type || "(no type)");
    setText(this.#subtitle, row.src === "" ? "Event" : `Event from ${row.src}`);
    const isOther = !this.#holds.startsWith(`event ${row.seq} `);
    if (!this.#hold(`event ${row.seq} ${row.pieces ?? 1}`)) return;
    const onSession = (/** @type {string} */ id) => this.choose({ kind: "session", id });
    this.#body.replaceChildren(...eventView(row, { onSession, onFilter: this.#handlers.onFilter }));
    if (isOther) this.#body.scrollTop = 0;
  }

  /** @param {string} key */
  #drawHook(key) {
    const stats = this.#hooks.get(key);
    const configured = stats === undefined ? this.#configured.get(key) : this.#configured.of(stats);
    setText(this.#title, `Hook ${nameOfHook(key)}`);
    setText(this.#subtitle, stats?.name ?? configured?.name ?? "");
    const isOther = !this.#holds.startsWith(`hook ${key}\n`);
    // Rebuilt only for a further run or another state, so that a selection stays.
    if (!this.#hold(`hook ${key}\n${stats?.calls ?? 0} ${JSON.stringify(configured)}`)) return;
    const onSession = (/** @type {string} */ id) => this.choose({ kind: "session", id });
    const top = this.#body.scrollTop;
    this.#body.replaceChildren(...hookDetails(stats, configured, { onFilter: this.#handlers.onHook, onSession }));
    this.#body.scrollTop = isOther ? 0 : top;
  }

  /**
   * @param {StoredName} kind
   * @param {string} id
   */
  #drawStored(kind, id) {
    const value = this.#titled(kind, id);
    const isNew = this.#holds.split("\n", 1)[0] !== id;
    // Rebuilt only for something else, so that a selection and the scroll position stay.
    if (!this.#hold(`${id}\n${JSON.stringify(value)}`)) return;
    const top = this.#body.scrollTop;
    const onSession = (/** @type {string} */ session) => this.choose({ kind: "session", id: session });
    if (value === undefined) this.#body.replaceChildren();
    else if ("task" in value) this.#body.replaceChildren(...taskDetails(value, { onSession }));
    else if ("delivery" in value) this.#body.replaceChildren(...deliveryDetails(value));
    this.#body.scrollTop = isNew ? 0 : top;
  }

  /** @param {string} name */
  #drawDaemon(name) {
    const value = this.#titled("daemon", name);
    if (this.#hold(`daemon ${name}`)) {
      this.#body.replaceChildren(...this.#daemon.elements);
      this.#body.scrollTop = 0;
    }
    if (value !== undefined && "daemon" in value) this.#daemon.draw(value);
  }

  /**
   * Sets the titles, and gives what has been read.
   *
   * @param {StoredName} kind
   * @param {string} id
   */
  #titled(kind, id) {
    const { value, problem } = this.#stored;
    setText(this.#title, `${STORED_TITLES[kind]} ${id}`);
    setText(this.#subtitle, value === undefined ? problem || "Loading…" : problem);
    return value;
  }

  /**
   * @param {string} id
   * @param {boolean} isFollowed
   */
  #drawSession(id, isFollowed) {
    const session = this.#sessions.get(id);
    if (session === undefined) return id === "" ? this.#drawNothing() : this.#drawStoredSession(id);
    setText(this.#title, nameOf(session));
    const { platform, model } = session;
    const parts = [
      `Session ${shortId(id)}`,
      stateWords(session),
      badWords(session),
      platform,
      model,
      usageWords(session.usage, session.tokens),
      isFollowed ? "the latest" : "",
    ];
    setText(this.#subtitle, parts.filter((part) => part !== "").join(" · "));
    const isNew = this.#hold(`session ${id}`);
    if (isNew) {
      const only = button("Only its events in the feed", () => this.#handlers.onFilter(id));
      this.#body.replaceChildren(sessionActions(id, only), ...this.#timeline.elements);
    }
    this.#timeline.draw(session, isNew);
  }

  #drawNothing() {
    setText(this.#title, "No session yet");
    setText(this.#subtitle, "");
    if (!this.#hold("nothing")) return;
    const words = ["Start ", el("code", {}, "hermes chat"), " in another terminal, and its turns appear here."];
    this.#body.replaceChildren(el("p", { class: "empty" }, ...words));
  }

  /** One whose events are no longer kept: its messages, as they are stored. @param {string} id */
  #drawStoredSession(id) {
    const { value, problem } = this.#stored;
    const stored = value !== undefined && "messages" in value && "session" in value ? value : undefined;
    const { title, platform, model, updated_at: at, usage } = stored?.session ?? {};
    const used = usageWords(usageOf(usage));
    const time = at ? fullTime(Date.parse(at)) : "";
    const parts = [`Session ${shortId(id)}`, "stored", platform ?? "", model ?? "", used, time];
    setText(this.#title, title || `Session ${shortId(id)}`);
    setText(this.#subtitle, stored === undefined ? problem || "Loading…" : parts.filter(Boolean).join(" · "));
    if (!this.#hold(`stored ${id}\n${stored?.session.updated_at ?? problem}`)) return;
    const none = el("p", { class: "empty" }, problem === "" ? "" : "This session is no longer available.");
    this.#body.replaceChildren(...(stored === undefined ? [none] : [sessionActions(id), ...storedMessages(stored)]));
    this.#body.scrollTop = stored === undefined ? 0 : this.#body.scrollHeight;
  }

  /**
   * @param {string} what
   * @returns true when the body held something else
   */
  #hold(what) {
    const isNew = this.#holds !== what;
    this.#holds = what;
    return isNew;
  }

  /** The running session while it runs; else the most recent one. */
  #follow() {
    if (this.#sessions.get(this.#followed)?.state !== "running") this.#followed = this.#sessions.list()[0]?.id ?? "";
    return this.#followed;
  }
}
