import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { HermesError } from "#core/errors";
import { declarationOf, EVENTS, type EventName } from "#core/events";
import { createFiring } from "#core/firing";
import type { HookReply } from "#core/ports/hook";
import { verdictOf, type Verdict } from "#core/verdict";
import { makeHook } from "../helpers/hooks.ts";

interface Went {
  readonly reply?: HookReply;
  readonly failure?: unknown;
  readonly mark?: "skip" | "block";
}

const EVENT_NAMES = Object.keys(EVENTS) as EventName[];

function judged(event: EventName, { reply, failure, mark = "skip" }: Went): Verdict {
  const hook = makeHook(event, () => ({}), { name: "guard", onFailure: mark });
  const firing = createFiring(event, EVENTS[event].sample() as never);
  return verdictOf(hook, firing, { reply, failure, started: 0, ended: 1 });
}

const PASSED = { decision: { kind: "pass" }, outcome: "pass", cause: null, detail: null };
const BLOCK = { answer: { action: "block", message: "no" } };
const MODIFY = { answer: { action: "modify", args: { a: 1 } } };
const fault = new Error("it broke");
const timeout = new HermesError("HERMES_HOOK_TIMEOUT", {
  source: "plugin",
  name: "guard",
  event: "pre_tool_call",
  seconds: 1,
  cure: "",
});

const ANSWERS: readonly (readonly [what: string, event: EventName, reply: HookReply, verdict: object])[] = [
  ["no answer", "pre_tool_call", {}, PASSED],
  ["null", "pre_tool_call", { answer: null }, PASSED],
  ["an empty object", "pre_tool_call", { answer: {} }, PASSED],
  ["whatever an observer says", "post_tool_call", BLOCK, PASSED],
  ["allow", "pre_gateway_dispatch", { answer: { action: "allow" } }, { ...PASSED, decision: { kind: "allow" } }],
  [
    "a block",
    "pre_tool_call",
    BLOCK,
    { decision: { kind: "block", message: "no" }, outcome: "block", cause: null, detail: "no" },
  ],
  [
    "a script's block",
    "pre_tool_call",
    { answer: { decision: "block", reason: "no" }, dialect: "shell" },
    { decision: { kind: "block", message: "no" }, outcome: "block", cause: null, detail: "no" },
  ],
  [
    "a modification",
    "pre_tool_call",
    MODIFY,
    { ...PASSED, decision: { kind: "modify", args: { a: 1 } }, outcome: "modify" },
  ],
  [
    "a context",
    "pre_llm_call",
    { answer: "note" },
    { ...PASSED, decision: { kind: "context", text: "note" }, outcome: "context" },
  ],
  [
    "a transformation",
    "transform_tool_result",
    { answer: "text" },
    { ...PASSED, decision: { kind: "transform", text: "text" }, outcome: "transform" },
  ],
];
for (const [what, event, reply, verdict] of ANSWERS) {
  test(`${what} at ${event}: its decision is the outcome, whatever the mark`, () => {
    for (const mark of ["skip", "block"] as const) assert.deepEqual(judged(event, { reply, mark }), verdict);
  });
}

for (const [what, went, cause, sentence] of [
  ["one that threw", { failure: fault }, "error", /"guard".*it broke/],
  ["one that timed out", { failure: timeout }, "timeout", /"guard".*1 s/],
  ["one that reports a failure itself", { reply: { failure: fault } }, "error", /"guard".*it broke/],
  ["one whose answer is none", { reply: { answer: 7 } }, "error", /"guard".*expected an object/],
  ["one whose verb is unknown", { reply: { answer: { action: "blok" } } }, "error", /"guard".*"blok"/],
] as const) {
  test(`${what}: skipped and reported; marked to block it blocks a gate, and nothing else`, () => {
    const skipped = judged("pre_tool_call", went);
    assert.deepEqual([skipped.decision.kind, skipped.outcome, skipped.cause], ["pass", cause, null]);
    assert.match(String(skipped.detail), sentence);
    const blocked = judged("pre_tool_call", { ...went, mark: "block" });
    assert.deepEqual([blocked.outcome, blocked.cause], ["block", cause]);
    assert.equal(blocked.detail, skipped.detail);
    assert.deepEqual(blocked.decision, { kind: "block", message: `Blocked because a guard failed: ${blocked.detail}` });
    // What is no answer to a gate may be one elsewhere; a failure is one at every event.
    if ("failure" in went) {
      const elsewhere = judged("post_tool_call", { ...went, mark: "block" });
      assert.deepEqual([elsewhere.decision.kind, elsewhere.outcome, elsewhere.cause], ["pass", cause, null]);
    }
  });
}

test("an answer given together with a failure applies, and the failure is reported: a block keeps its message", () => {
  for (const mark of ["skip", "block"] as const) {
    const { decision, outcome, cause, detail } = judged("pre_tool_call", { reply: { ...BLOCK, failure: fault }, mark });
    assert.deepEqual(decision, { kind: "block", message: "no" });
    assert.deepEqual([outcome, cause], ["block", mark === "block" ? "error" : null]);
    assert.match(String(detail), /it broke/);
  }
  const modified = judged("pre_tool_call", { reply: { ...MODIFY, failure: fault } });
  assert.deepEqual([modified.decision.kind, modified.outcome], ["modify", "modify"]);
  assert.match(String(modified.detail), /it broke/);
  const guard = judged("pre_tool_call", { reply: { ...MODIFY, failure: fault }, mark: "block" });
  assert.equal(guard.decision.kind, "block", "a guard that failed does not let its own changes through");
});

test("of an invalid answer and a failure, the failure is reported", () => {
  const { detail } = judged("pre_tool_call", { reply: { answer: 7 }, failure: fault });
  assert.match(String(detail), /it broke/);
});

test("whatever a hook answers or throws, the verdict is one that the event allows", () => {
  const reply = fc.record(
    {
      answer: fc.oneof(
        fc.anything(),
        fc.record({ action: fc.constantFrom("block", "modify", "skip", "rewrite", "allow", "x"), args: fc.object() }),
      ),
      failure: fc.constantFrom(undefined, fault, timeout),
      dialect: fc.constantFrom("plugin" as const, "shell" as const),
    },
    { requiredKeys: [] },
  );
  const went = fc.record({
    reply: fc.option(reply, { nil: undefined }),
    failure: fc.constantFrom(undefined, fault, timeout, "words"),
    mark: fc.constantFrom("skip" as const, "block" as const),
  });
  fc.assert(
    fc.property(fc.constantFrom(...EVENT_NAMES), went, (event, how) => {
      const { decision, outcome, cause, detail } = judged(event, how as Went);
      const { kind, verbs = [], onFailure } = declarationOf(event);
      const allowed: readonly string[] = kind === "gate" ? verbs : kind === "observe" ? [] : [kind];
      assert.ok(decision.kind === "pass" || allowed.includes(decision.kind), `${decision.kind} at ${event}`);
      if (cause !== null) {
        assert.deepEqual([outcome, onFailure, how.mark], ["block", "mark", "block"]);
        assert.equal(decision.kind, "block");
      }
      if (how.failure !== undefined || outcome === "error" || outcome === "timeout")
        assert.equal(typeof detail, "string");
      if (decision.kind !== "pass" && decision.kind !== "allow") assert.equal(outcome, decision.kind);
    }),
  );
});
