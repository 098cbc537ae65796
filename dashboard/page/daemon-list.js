/** What the pane of daemons shows: a row for each, and below them what is scheduled next. */
import { byId, el, KeyedList, setText } from "./dom.js";
import { count, oneLine, roughly, until } from "./format.js";

/** @typedef {import("./stored-list.js").Daemon} Daemon */
/** @typedef {import("./stored-list.js").Schedule} Schedule */

/** @type {KeyedList<Schedule> | undefined} */
let schedules;

/** @type {import("./stored-kinds.js").StoredKind<Daemon>} */
export const DAEMONS = {
  view: "daemons",
  path: "api/daemons",
  items: (answer) => answer.daemons,
  id: ({ name }) => name,
  describe: (daemon) => ({
    status: daemon.state,
    state: daemon.state,
    words: daemon.name,
    facts: [
      daemon.queued === 0 ? "" : `${count(daemon.queued)} waiting`,
      ...daemon.hooks.map(({ name, url }) => (url === null ? name : `${name} ${url}`)),
      daemon.next_at === null ? "" : `next ${until(Date.parse(daemon.next_at), Date.now())}`,
    ]
      .filter((part) => part !== "")
      .join(" · "),
    when: daemon.started_at === null ? "" : `up ${roughly(Date.now() - Date.parse(daemon.started_at))}`,
  }),
  summary: (daemons) =>
    daemons.length === 0
      ? ""
      : `${count(daemons.filter(({ state }) => state !== "stopped").length)} up of ${count(daemons.length)}`,
  hasFilter: false,
  drawMore: (answer, onOpen) => drawSchedules(answer.schedules, onOpen),
};

/**
 * @param {readonly Schedule[]} next
 * @param {(name: string) => void} onOpen
 */
function drawSchedules(next, onOpen) {
  schedules ??= new KeyedList(byId("daemons-schedules", HTMLElement), {
    key: ({ id }) => id,
    // How long it is until then changes every second.
    version: () => undefined,
    create: ({ name }) => newSchedule(() => onOpen(name)),
    update: fillSchedule,
  });
  schedules.render(next);
  byId("daemons-schedules-title", HTMLElement).hidden = next.length === 0;
}

/** @param {() => void} onOpen */
function newSchedule(onOpen) {
  const parts = ["state", "words", "facts", "when"].map((name) => el("span", { class: name }));
  const button = el("button", { type: "button", class: "stored", "data-state": "scheduled" }, ...parts);
  button.addEventListener("click", onOpen);
  return el("li", {}, button);
}

/**
 * @param {HTMLElement} element
 * @param {Schedule} schedule
 */
function fillSchedule(element, { name, when, prompt, next_at: at }) {
  const [due, words, facts, time] = element.firstElementChild?.children ?? [];
  if (due) setText(due, until(Date.parse(at), Date.now()));
  if (words) setText(words, oneLine(prompt));
  if (facts) setText(facts, name);
  if (time) setText(time, when);
}
