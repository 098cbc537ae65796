/** Every column of the table of hook events does what it says, at every event: a new row is tested by being there. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { z } from "zod";
import { noticeOf } from "#cli/chat/notices";
import { createShellHooks } from "#cli/shell-hooks";
import { judge } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import type { AnyEventDeclaration } from "#core/event-declaration";
import { declarationOf, EVENT_NAMES, type EventName, type Payload } from "#core/events";
import { createFiring } from "#core/firing";
import { parseConfig } from "#core/home/config";
import { homePaths } from "#core/home/paths";
import type { HookRun } from "#core/ports/hook";
import { parseHookEntries } from "#sandbox/shell/entries";
import { CLAUDE } from "#sandbox/shell/protocols/claude";
import { CLAUDE_WIRE } from "#sandbox/shell/protocols/claude-codec";
import { HERMES_WIRE } from "#sandbox/shell/protocols/hermes-codec";
import { answering } from "../helpers/hooks.ts";
import { loadFixtures } from "../helpers/plugins.ts";

const shellContext = { cwd: "/work", home: "/home/me/.hermes", env: {}, wallFor: () => assert.fail("no script runs") };

/** What each column promises of an event. A column without a check does not compile. */
const CHECKS: Readonly<Record<keyof AnyEventDeclaration, (name: EventName, t: TestContext) => void | Promise<void>>> = {
  kind: foldsAnswersByKind,
  onFailure: blocksInPlaceOfABrokenPlugin,
  sentence: (name) => assert.match(declarationOf(name).sentence, /^[A-Z].*\.$/),
  subject: namesWhatWasReplaced,
  verbs: takesTheStrongestVerb,
  exitTwoBlocks: blocksByExitCode,
  scriptsHidden: keepsScriptsFromTheAgent,
  ignoresEmpty: (name) => {
    const { kind, ignoresEmpty } = declarationOf(name);
    if (kind === "transform") assert.equal(judge(name, "", "plugin").kind, ignoresEmpty ? "pass" : "transform");
  },
  holdsAnswer: (name) => {
    const dispatcher = new HookDispatcher();
    const undo = dispatcher.register(answering(name, null));
    assert.equal(dispatcher.mayStream(), declarationOf(name).holdsAnswer !== true);
    undo();
    assert.ok(dispatcher.mayStream());
  },
  tool: (name) => {
    const document = documentOf(name, { tool_name: "terminal", args: {} });
    assert.equal(document["tool_name"], declarationOf(name).tool ? "terminal" : null);
  },
  live: handsLiveFieldsToCallbacksOnly,
  payload: (name) => assert.equal(declarationOf(name).payload(z).safeParse({}).success, false),
  sample: (name) => {
    const { payload, sample } = declarationOf(name);
    assert.deepEqual(payload(z).parse(sample()), sample());
  },
};

for (const name of EVENT_NAMES) {
  for (const [column, check] of Object.entries(CHECKS)) {
    test(`${name}: what ${column} says holds`, (t) => check(name, t));
  }
}

/** A complete answer of an event's strongest kind, and a second one. */
function answersOfKind(name: EventName): readonly [first: unknown, second: unknown] {
  const { kind, verbs = [] } = declarationOf(name);
  if (kind !== "gate") return kind === "context" ? [{ context: "one" }, { context: "two" }] : ["one", "two"];
  const words = { message: "one", reason: "one", text: "one", args: {} };
  return [
    { ...words, action: verbs[0] },
    { ...words, action: verbs[0], message: "two", reason: "two", text: "two" },
  ];
}

async function foldsAnswersByKind(name: EventName): Promise<void> {
  const dispatcher = new HookDispatcher();
  const runs: HookRun[] = [];
  dispatcher.sinks.add((run) => void runs.push(run));
  const { kind, sample } = declarationOf(name);
  for (const answer of answersOfKind(name)) dispatcher.register(answering(name, answer));
  const decision = await dispatcher.invoke_hook(name, sample() as Payload<typeof name>);
  const text = JSON.stringify(decision);
  assert.equal(text.includes("one"), kind !== "observe");
  assert.equal(text.includes("two"), kind === "context");
  assert.equal(runs.length, kind === "gate" || kind === "transform" ? 1 : 2);
}

async function blocksInPlaceOfABrokenPlugin(name: EventName, t: TestContext): Promise<void> {
  const { onFailure, subject } = declarationOf(name);
  const bench = await loadFixtures(t, [], {
    written: { "broken/plugin.yaml": `name: broken\nprovides_hooks: [${name}]\n`, "broken/index.mjs": "(" },
    entries: { broken: { on_error: "block" } },
  });
  const { kind } = (await bench.fire(name)) as { kind: string };
  assert.equal(kind, onFailure === "mark" ? "block" : "pass");
  const said = bench.warnings.join("\n");
  assert.equal(said.includes(`every ${subject} is blocked`), onFailure === "mark", said);
}

function namesWhatWasReplaced(name: EventName): void {
  const { kind, subject } = declarationOf(name);
  assert.equal(subject !== undefined, kind === "gate" || kind === "transform");
  const run = { event: name, name: "h", outcome: "transform", detail: null } as HookRun;
  if (kind === "transform") assert.equal(noticeOf(run), `hook h replaced the ${subject}`);
}

function takesTheStrongestVerb(name: EventName): void {
  const { verbs = [] } = declarationOf(name);
  const complete = { message: "m", reason: "r", text: "t", args: {} };
  for (const [rank, stronger] of verbs.entries()) {
    for (const weaker of verbs.slice(rank)) {
      for (const [decision, action] of [
        [stronger, weaker],
        [weaker, stronger],
      ]) {
        assert.equal(judge(name, { ...complete, decision, action }, "shell").kind, stronger);
      }
    }
  }
}

function blocksByExitCode(name: EventName): void {
  const { kind, exitTwoBlocks, sample } = declarationOf(name);
  const [entry] = parseHookEntries({ [name]: [{ command: "true" }] }).entries;
  assert.ok(entry);
  const result = {
    exit_code: 2,
    signal: null,
    stdout: "",
    stderr: "not today",
    ended: "exited",
    start_problem: null,
    truncated: false,
    escaped: [],
    duration_ms: 1,
  } as const;
  const firing = createFiring(name, sample() as Payload<typeof name>);
  const wires = CLAUDE.refuseEvent(name) === null ? [HERMES_WIRE, CLAUDE_WIRE] : [HERMES_WIRE];
  for (const wire of wires) {
    const { reply } = wire.read({ entry, firing, result, shellContext });
    const blocks = judge(name, reply.answer, "shell").kind === "block";
    assert.equal(blocks, exitTwoBlocks === true);
    // What does not block is a failure, but of an observer of the other protocol, which may say so.
    if (!blocks && wire === HERMES_WIRE) assert.ok(reply.failure, `${kind}: exit code 2 is a failure`);
  }
}

async function keepsScriptsFromTheAgent(name: EventName, t: TestContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hermes-columns-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, "hook.sh");
  writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
  const hooks = createShellHooks({
    context: { env: {}, warn: () => undefined } as never,
    globals: { safeMode: false, acceptHooks: false } as never,
    paths: homePaths(folder),
    dispatcher: new HookDispatcher(),
    onUnrecorded: (sentence) => assert.fail(sentence),
    wallFor: shellContext.wallFor,
  });
  const text = JSON.stringify({ hooks: { [name]: [{ command: script }] } });
  (await hooks.prepare(await parseConfig(text, "config.yaml", {}))).swap();
  assert.deepEqual(hooks.scripts(), { all: [script], gates: declarationOf(name).scriptsHidden ? [script] : [] });
}

function handsLiveFieldsToCallbacksOnly(name: EventName): void {
  const { live = [], sample } = declarationOf(name);
  const field = { send: () => "sent" };
  const fields = Object.fromEntries(live.map((key) => [key, field]));
  const frozen = createFiring(name, { ...sample(), ...fields } as never).frozen();
  for (const key of live) assert.equal((frozen as Record<string, unknown>)[key], field);
  const { extra } = documentOf(name, fields) as { extra: object };
  for (const key of live) assert.equal(key in extra, false);
  assert.ok(Object.isFrozen(frozen));
}

function documentOf(name: EventName, fields: object): Record<string, unknown> {
  const payload = { ...declarationOf(name).sample(), ...fields } as Payload<typeof name>;
  const document = HERMES_WIRE.document(createFiring(name, payload), shellContext, { protocolEvent: null });
  return JSON.parse(document) as Record<string, unknown>;
}
