/** What the page says is wrong now. */
import test from "node:test";
import assert from "node:assert/strict";
import { Conversation, type EventFrame } from "../helpers/dashboard-events.ts";
import { Alerts } from "../../dashboard/page/alerts-state.js";
import { ConfiguredHooks } from "../../dashboard/page/configured-hooks.js";
import { parseEvent } from "../../dashboard/page/events.js";
import { hookKey, Hooks } from "../../dashboard/page/hooks-state.js";
import type { SourceStatus } from "../../dashboard/page/session.js";
import { Sessions } from "../../dashboard/page/sessions-state.js";

const START = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;

/** The alerts some time after these events, which all come at once. */
function alertsOf(frames: readonly EventFrame[], { after = 0, sources = [] as SourceStatus[] } = {}) {
  const sessions = new Sessions();
  const hooks = new Hooks();
  for (const [index, frame] of frames.entries()) {
    const event = parseEvent(JSON.stringify({ seq: index + 1, at: new Date(START).toISOString(), ...frame }));
    assert.ok(event);
    sessions.add(event);
    hooks.add(event);
  }
  const facts = {
    sessions: sessions.list(),
    failing: hooks.failing(),
    sources,
    deliveries: [],
    bad: [],
    now: START + after,
  };
  return new Alerts().list(facts).map(({ text, detail }) => `${text} | ${detail}`);
}

const source = (connected: boolean | null, src = "cli"): SourceStatus => {
  return { src, rate_per_second: 0, events: 1, dropped: 0, connected, last_at: "" };
};

test("a turn that says nothing is stuck after two minutes, and its process may be gone", () => {
  const { frames } = new Conversation("sess_a").begin().ask("Do it");
  assert.deepEqual(alertsOf(frames, { after: 1.9 * MINUTE, sources: [source(true)] }), []);
  const quiet = "“Do it” runs and has said nothing for 2 min | ";
  assert.deepEqual(alertsOf(frames, { after: 2.5 * MINUTE, sources: [source(true)] }), [quiet]);
  const gone = "No cli process is connected; it may have been killed.";
  assert.deepEqual(alertsOf(frames, { after: 2.5 * MINUTE, sources: [source(false)] }), [quiet + gone]);
  assert.deepEqual(alertsOf(frames, { after: 2.5 * MINUTE }), [quiet + gone]);
  const ended = new Conversation("sess_a").begin().ask("Do it").answer("Done").frames;
  assert.deepEqual(alertsOf(ended, { after: 60 * MINUTE }), []);
});

test("a process that loses its connection in the middle of a turn has stopped", () => {
  const { frames } = new Conversation("sess_a").begin().ask("Do it");
  const stopped = alertsOf(frames, { after: 10_000, sources: [source(false)] });
  assert.deepEqual(stopped, [
    "cli has stopped in the middle of “Do it” | No cli process is connected; it may have been killed.",
  ]);
  // A silent one is disconnected after a minute, and scripts do not say whether they are there.
  assert.deepEqual(alertsOf(frames, { after: 90_000, sources: [source(false)] }), []);
  assert.deepEqual(alertsOf(frames, { after: 10_000, sources: [source(null)] }), []);
});

test("hooks whose last run failed are named with their reason, guards before others", () => {
  const chat = new Conversation("sess_a");
  chat.hook("post_tool_call", "audit", "error", 1, { detail: "the disk is full" });
  chat.hook("pre_tool_call", "~/hooks/guard.sh", "pass", 1);
  chat.hook("pre_tool_call", "~/hooks/guard.sh", "block", 1, { cause: "timeout", detail: "it took 5 s" });
  chat.hook("pre_tool_call", "strict", "block", 1, { detail: "no" });
  chat.hook("pre_tool_call", "healed", "error", 1).hook("pre_tool_call", "healed", "pass", 1);
  assert.deepEqual(alertsOf(chat.frames), [
    "Guard guard.sh times out on pre_tool_call | it took 5 s · 1 of its last 2 runs, now",
    "Hook audit fails on post_tool_call | the disk is full · its only run, now",
  ]);
  assert.deepEqual(alertsOf(chat.frames, { after: 25 * 60 * MINUTE }), [], "that is history");
});

test("dropped events are news for ten minutes; webhooks that are sent again until they arrive", () => {
  const alerts = new Alerts();
  const delivery = { attempts: 2, last_error: "it answered 503", endpoint: "team" };
  const at = (minutes: number, dropped: number, attempts = 0) =>
    alerts
      .list({
        sessions: [],
        failing: [],
        sources: [{ ...source(true), dropped }],
        deliveries: attempts === 0 ? [] : [{ ...delivery, attempts }],
        bad: [],
        now: START + minutes * MINUTE,
      })
      .map(({ text }) => text);
  assert.deepEqual(at(0, 3), ["cli had to drop 3 events"]);
  assert.deepEqual(at(11, 3, 2), ["1 webhook failed and is sent again"]);
  assert.deepEqual(at(12, 4), ["cli had to drop 4 events"]);
});

test("hooks that are configured are known by their state, under their events or a pattern", () => {
  const configured = new ConfiguredHooks();
  const base = { source: "shell", enabled: true, allowed: true, drift: "none", problem: null };
  configured.set({
    hooks: [
      { ...base, event: "pre_tool_call", name: "guard", last_run: { outcome: "pass" } },
      { ...base, event: "pre_tool_call", name: "new", allowed: false },
      { ...base, event: "pre_tool_call", name: "gone", drift: "missing" },
      { ...base, event: "pre_tool_call", name: "changed", drift: "modified" },
      { ...base, event: "pre_tool_call", name: "bad", problem: "unbalanced quote" },
      { ...base, event: "pre_tool_call", name: "off", enabled: false },
      { ...base, event: "agent:*", source: "worker", name: "log", state: "enabled" },
      { ...base, event: "", source: "worker", name: "folder", enabled: false, state: "skipped", reason: "no handler" },
      null,
    ],
  });
  assert.deepEqual(
    configured.list().map(({ name, state, isBad }) => [name, state, isBad]),
    [
      ["guard", "", false],
      ["new", "not approved", true],
      ["gone", "script missing", true],
      ["changed", "script changed", true],
      ["bad", "broken", true],
      ["off", "off", false],
      ["log", "", false],
      ["folder", "skipped", true],
    ],
  );
  const run = { event: "agent:end", source: "worker", name: "log" };
  assert.equal(configured.of({ ...run, key: hookKey(run) })?.name, "log");

  const hooks = new Hooks();
  const context = { payload: { ...run, outcome: "pass", duration_ms: 1 } };
  hooks.add({ seq: 1, at: START, src: "gateway", type: "tui:hook.complete", context });
  hooks.setConfigured(configured.list());
  const names = hooks.sorted("calls", true).map(({ name, calls }) => `${name} ${calls}`);
  assert.deepEqual([names[0], names.length, names.includes("log 0")], ["log 1", 8, false]);
  const [alert] = new Alerts().list({
    sessions: [],
    failing: [],
    sources: [],
    deliveries: [],
    bad: configured.bad().slice(3, 4),
    now: START,
  });
  assert.deepEqual([alert?.text, alert?.detail], ["Hook bad is broken", "unbalanced quote"]);
});
