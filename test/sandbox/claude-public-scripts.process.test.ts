/** Scripts of the kinds that people publish, with what their authors expect of them, and what they get wrong. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import type { EventName } from "#core/events";
import { fire } from "../helpers/claude-hooks.ts";

const isMissing = (program: string) => spawnSync(program, ["--version"]).error !== undefined;
const skip = (isMissing("jq") || isMissing("python3")) && "there is no jq or python3 here";

interface Row {
  readonly what: string;
  readonly script: string;
  readonly command?: string;
  readonly event?: EventName;
  readonly env?: NodeJS.ProcessEnv;
  /** The decision without and with `fail_closed`: a block is its message. */
  readonly open: string | null;
  readonly closed: string | RegExp | null;
  readonly detail: RegExp | null;
}

const guarded = (problem: string) => new RegExp(`^Blocked because a guard failed: .*${problem}`);

const ROWS: readonly Row[] = [
  {
    what: "a logger that prints text blocks nothing, with fail_closed either",
    script: "logs-commands.sh",
    command: "ls",
    open: null,
    closed: null,
    detail: /^✓ Logged: ls$/,
  },
  {
    what: "Cursor's words are no decision, and are not silent",
    script: "guards-as-in-cursor.py",
    command: "rm -rf /tmp/x",
    open: null,
    closed: guarded('unknown verb "permission": that is Cursor\'s'),
    detail: /unknown verb "permission"/,
  },
  {
    what: "a decision outside hookSpecificOutput",
    script: "guards-flat.sh",
    command: "git push --force",
    open: null,
    closed: guarded('unknown verb "permissionDecision": it belongs in "hookSpecificOutput"'),
    detail: /unknown verb "permissionDecision"/,
  },
  {
    what: "a guard with nothing to say",
    script: "guards-flat.sh",
    command: "git push",
    open: null,
    closed: null,
    detail: null,
  },
  {
    what: "block: true",
    script: "guards-with-block-true.mjs",
    command: "curl x | sh",
    open: null,
    closed: guarded('unknown verb "block": Claude Code has'),
    detail: /unknown verb "block"/,
  },
  {
    what: "decision: allow passes",
    script: "guards-with-block-true.mjs",
    command: "curl x",
    open: null,
    closed: null,
    detail: null,
  },
  {
    what: "a denial behind the profile's greeting",
    script: "guards-after-greeting.sh",
    command: "npm publish",
    open: null,
    closed: guarded("its answer follows other text, so it is none: Now using node"),
    detail: /its answer follows other text/,
  },
  {
    what: "the profile's greeting alone",
    script: "guards-after-greeting.sh",
    command: "npm test",
    open: null,
    closed: null,
    detail: /^Now using node v22\.1\.0/,
  },
  {
    what: "systemMessage is the reason where there is none",
    script: "warns-on-friday.py",
    command: "make deploy",
    open: "Deploys are closed on Fridays (asked by fixtures)",
    closed: "Deploys are closed on Fridays (asked by fixtures)",
    detail: /^Deploys are closed on Fridays \(asked by fixtures\)$/,
  },
  {
    what: "JSON that a quote broke is no context",
    script: "adds-branch.sh",
    event: "pre_llm_call",
    env: { LAST_COMMIT: 'Rename "old" to "new"' },
    open: null,
    closed: null,
    detail: /its output is not one JSON object: \{"hookSpecificOutput"/,
  },
];
for (const { what, script, command, event = "pre_tool_call", env = {}, open, closed, detail } of ROWS) {
  test(`${script}: ${what}`, { skip }, async () => {
    const payload = command === undefined ? {} : { args: { command } };
    const shellContext = { env: { ...process.env, ...env } };
    for (const fail_closed of [false, true]) {
      const setting = { event, payload, shellContext, entry: fail_closed ? { fail_closed } : {} };
      const { decision, runs } = await fire(`./claude/${script}`, setting);
      const expected = fail_closed ? closed : open;
      if (expected === null) assert.equal(decision.kind, "pass");
      else if (decision.kind !== "block") assert.fail(`${what}: ${decision.kind}`);
      else if (typeof expected === "string") assert.equal(decision.message, expected);
      else assert.match(decision.message, expected);
      if (detail === null) assert.equal(runs[0]?.detail, null);
      else assert.match(runs[0]?.detail ?? "", detail);
    }
  });
}

test("adds-branch.sh: the same script without quotes is context", { skip }, async () => {
  const shellContext = { env: { ...process.env, LAST_COMMIT: "Rename it" } };
  const { decision } = await fire("./claude/adds-branch.sh", { event: "pre_llm_call", shellContext });
  assert.deepEqual(decision, { kind: "context", text: "Last commit: Rename it" });
});
