import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { EVENTS } from "#core/events";
import { createFiring } from "#core/firing";
import { allowCommand, decide, grantExplicitTest } from "#allowlist/decide";
import { assertGrant, type Grant } from "#allowlist/grant";
import { parseHookEntries } from "#sandbox/shell/entries";
import { runScript } from "#sandbox/shell/run";
import { plain } from "../helpers/requests.ts";

const root = resolve(import.meta.dirname, "../..");
const PAIR = { event: "pre_tool_call", command: "touch /tmp/forged", shell: false, env: [] };
const everything = { termsOf: () => ({ shell: false, env: [] }), problem: null };

test("an approved pair is granted, exactly", () => {
  const consent = decide(PAIR, everything, "command");
  assert.ok(consent.granted);
  assert.deepEqual({ ...consent.grant }, { kind: "approved", ...PAIR, pin: null });
  assertGrant(consent.grant, PAIR);
  assert.throws(() => assertGrant(consent.grant, { ...PAIR, command: "other" }), /not for pre_tool_call: other/);
  assert.throws(() => assertGrant(consent.grant, { ...PAIR, event: "post_tool_call" }), TypeError);
});

test("a refusal says why and what to do, quoted for a shell", () => {
  const consent = decide(
    plain({ event: "pre_tool_call", command: "a 'b'" }),
    { termsOf: () => undefined, problem: "it rains" },
    "command",
  );
  assert.ok(!consent.granted);
  assert.match(consent.reason, /because it rains.*hermes hooks allow pre_tool_call 'a '\\''b'\\'''/);
  assert.equal(allowCommand(PAIR), "hermes hooks allow pre_tool_call 'touch /tmp/forged'");
});

test("nobody gets the lenient mode who asked for the strict one", () => {
  assert.equal(decide(PAIR, everything, "pinned").granted, false);
});

test("a grant cannot be written down, copied or changed", async () => {
  // @ts-expect-error -- the brand is not exported: an object literal is no Grant
  const written: Grant = { kind: "approved", ...PAIR, pin: null };
  const real = grantExplicitTest(PAIR);
  assert.ok(real.granted);
  const copied: Grant = { ...real.grant };
  const inherited = Object.create(real.grant) as Grant;
  const [entry] = parseHookEntries({ pre_tool_call: [{ command: PAIR.command }] }).entries;
  const firing = createFiring("pre_tool_call", EVENTS.pre_tool_call.sample());
  const shellContext = { cwd: "/", home: "/", env: {} };
  for (const grant of [written, copied, inherited, undefined as unknown as Grant]) {
    const run = runScript({ entry: entry!, grant, firing, signal: AbortSignal.timeout(1000), shellContext });
    await assert.rejects(run, /must not run without a grant/);
  }
  assert.throws(() => {
    (real.grant as { command: string }).command = "other";
  }, TypeError);
});

test("only `hermes hooks test` and `hermes inbound test` ask for the grant that needs no approval", () => {
  const tests = ["cli/commands/hooks/test.ts", "cli/commands/inbound/test.ts"];
  assert.deepEqual(filesWith("grantExplicitTest"), ["allowlist/decide.ts", ...tests]);
});

test("only decide.ts issues grants", () => {
  assert.deepEqual(filesWith("issueGrant"), ["allowlist/decide.ts", "allowlist/grant.ts"]);
});

/** The files of the program in which a name is written. */
function filesWith(name: string): readonly string[] {
  const sources = globSync(["{core,plugins,sandbox,allowlist,agent,gateway,daemon,dashboard,cli}/**/*.ts"], {
    cwd: root,
  });
  assert.ok(sources.length > 100);
  return sources.filter((file) => readFileSync(join(root, file), "utf8").includes(name)).toSorted();
}
