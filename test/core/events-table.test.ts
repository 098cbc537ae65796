import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { judge } from "#core/answers";
import type { GateVerb } from "#core/event-declaration";
import { answersOf } from "#core/event-reference";
import { declarationOf, EVENT_NAMES, eventsWhere } from "#core/events";
import { parseHookEntries } from "#sandbox/shell/entries";

/** An answer of each verb that is complete. */
const ANSWERS: Readonly<Record<GateVerb, Readonly<Record<string, unknown>>>> = {
  block: { action: "block", message: "no" },
  ask: { action: "ask", message: "sure?" },
  modify: { action: "modify", args: { a: 1 } },
  skip: { action: "skip", reason: "later" },
  rewrite: { action: "rewrite", text: "other" },
  allow: { action: "allow" },
};

for (const name of EVENT_NAMES) {
  const row = declarationOf(name);

  test(`${name}: its columns agree with each other`, () => {
    assert.equal(row.kind === "gate", row.verbs !== undefined);
    if (row.kind === "gate") assert.ok(row.subject, "a gate names what it decides about");
    if (row.onFailure === "mark") assert.equal(row.kind, "gate");
    if (row.exitTwoBlocks || row.scriptsHidden) assert.ok(row.verbs?.includes("block"));
    if (row.ignoresEmpty || row.holdsAnswer) assert.equal(row.kind, "transform");
    assert.match(row.sentence, /\b(?:Can |Observes only|always|replaces)/);
  });

  test(`${name}: exactly its verbs are answers, and the reference lists them`, () => {
    for (const [verb, answer] of Object.entries(ANSWERS)) {
      const decision = judge(name, answer, "plugin");
      if (row.verbs?.includes(verb as GateVerb)) assert.equal(decision.kind, verb);
      else assert.ok(["pass", "invalid", "context"].includes(decision.kind), `${verb}: ${decision.kind}`);
    }
    const listed = answersOf(name).map(({ plugin }) => plugin);
    for (const verb of row.verbs ?? []) assert.ok(listed.some((text) => text.includes(`"${verb}"`)));
    assert.equal(listed.length > 0, row.kind !== "observe");
    const exitTwo = answersOf(name).some(({ shell }) => shell.includes("exit code 2"));
    assert.equal(exitTwo, row.exitTwoBlocks === true);
  });

  test(`${name}: a matcher applies to tool events, fail_closed to gates that can block`, () => {
    const { entries, warnings } = parseHookEntries({ [name]: [{ command: "true", matcher: "x", fail_closed: true }] });
    assert.equal(entries[0]?.matcher, row.tool ? "x" : null);
    assert.equal(entries[0]?.failClosed, row.onFailure === "mark");
    assert.equal(warnings.length, (row.tool ? 0 : 1) + (row.onFailure === "mark" ? 0 : 1));
  });
}

test("events can be found by a column", () => {
  assert.deepEqual(
    eventsWhere(({ tool }) => tool),
    ["pre_tool_call", "post_tool_call", "transform_tool_result"],
  );
});

test("no code outside the table decides by the name of a hook event", () => {
  const rooms = "{core,allowlist,sandbox,plugins,agent,gateway,dashboard,cli}";
  const root = join(import.meta.dirname, "..", "..");
  const names = EVENT_NAMES.join("|");
  const decides = new RegExp(`(?:[!=]==|\\bcase|\\.includes\\()\\s*"(?:${names})"|"(?:${names})"\\s*[!=]==`);
  const files = globSync(`${rooms}/**/*.ts`, { cwd: root }).filter((file) => file !== join("core", "events.ts"));
  assert.ok(files.length > 200);
  assert.deepEqual(
    files.filter((file) => decides.test(readFileSync(join(root, file), "utf8"))),
    [],
  );
});
