/** HOOK.yaml: what is read from it, and what is said of one that cannot be used. */
import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readManifest } from "#core/extensions/manifest";
import { HOOK_FORMAT, parseHookManifest } from "#gateway/hooks/manifest";

const parse = (text: string) => parseHookManifest(text, "HOOK.yaml");

async function problemOf(text: string): Promise<string> {
  const error = await parse(text).then(
    () => assert.fail(`taken: ${text.slice(0, 100)}`),
    (thrown: unknown) => thrown as { code: string; message: string },
  );
  assert.equal(error.code, "HERMES_HOOK_MANIFEST");
  return error.message;
}

test("every documented key is read", async () => {
  const manifest = await parse(`
name: my-hook
description: Watches
events: [agent:start, "command:*", my-plugin:some.thing]
enabled: false
isolation: isolate
timeout_seconds: 2.5
memory_mb: 64
allow:
  fetch: [API.example.com, localhost, 127.0.0.1]
  env: [MY_TOKEN]
  kv: true
`);
  assert.deepEqual(manifest, {
    name: "my-hook",
    description: "Watches",
    events: ["agent:start", "command:*", "my-plugin:some.thing"],
    enabled: false,
    isolation: "isolate",
    timeoutSeconds: 2.5,
    memoryMb: 64,
    allow: { fetch: ["api.example.com", "localhost", "127.0.0.1"], env: ["MY_TOKEN"], kv: true },
    vainAllow: null,
    warnings: [],
  });
});

test("events are enough", async () => {
  const { name, description, enabled, isolation, timeoutSeconds, memoryMb, allow } = await parse("events: [agent:end]");
  assert.deepEqual(
    { name, description, enabled, isolation, timeoutSeconds, memoryMb, allow },
    {
      name: undefined,
      description: "",
      enabled: true,
      isolation: undefined,
      timeoutSeconds: undefined,
      memoryMb: 128,
      allow: { fetch: [], env: [], kv: false },
    },
  );
});

const good = "events: [agent:end]\n";

const WRONG: Readonly<Record<string, readonly [text: string, problem: RegExp]>> = {
  "nothing in it": ["", /^HOOK\.yaml:1: expected keys/],
  "a list": ["- agent:start", /^HOOK\.yaml:1: expected keys/],
  "a text": ["agent:start", /^HOOK\.yaml:1: expected keys/],
  "no events": ["name: x", /^HOOK\.yaml: events is missing; expected a list/],
  "an empty list": ["events: []", /^HOOK\.yaml:1: events is \[\]; expected at least one event/],
  "a lone event": [
    "name: x\nevents: agent:start",
    /^HOOK\.yaml:2: events is "agent:start"; expected a list: \[agent:start\]/,
  ],
  "a lone star": ['events: "*"', /^HOOK\.yaml:1: events is "\*"; expected a list$/],
  "a star in the list": ['events:\n  - agent:end\n  - "*"', /^HOOK\.yaml:3: events\[1\] is "\*"; there is no "\*"/],
  "half a wildcard": ["events: [agent:st*]", /wildcard must replace the whole name/],
  "a blank behind the colon": ["events:\n  - agent: start", /^HOOK\.yaml:2: events\[0\] .*write agent:start without/],
  "a number among the events": ["events: [7]", /^HOOK\.yaml:1: events\[0\] is 7; an event is a string/],
  "an event of plugins": ["events: [pre_tool_call]", /pre_tool_call is an event of plugins and shell hooks/],
  "an event without its namespace": ["events: [step]", /expected namespace:name/],
  "an event with a dash for a colon": ["events: [agent-step]", /Did you mean "agent:step"\?/],
  tabs: ["events:\n\t- agent:start", /^HOOK\.yaml:2: not valid YAML: .*\(indent with spaces, not tabs\)/],
  "a key twice": [`${good}name: a\nname: b`, /^HOOK\.yaml:3: not valid YAML: Map keys must be unique/],
  "two documents": [`${good}---\n${good}`, /^HOOK\.yaml:2: not valid YAML/],
  "a quote that does not end": [`${good}name: "x`, /^HOOK\.yaml:2: not valid YAML/],
  "a name with line breaks": [`${good}name: "a\\nb"`, /^HOOK\.yaml:2: name is "a\\nb"; expected the hook's name/],
  "a name that is a list": [`${good}name: [a]`, /^HOOK\.yaml:2: name is \["a"\]; expected a string/],
  "enabled in words": [`${good}enabled: "no"`, /^HOOK\.yaml:2: enabled is "no"; expected true or false/],
  "another isolation": [
    `${good}isolation: isolated`,
    /isolation is "isolated"; expected worker, isolate or python\. Did you mean "isolate"\?/,
  ],
  "a timeout in words": [`${good}timeout_seconds: "5"`, /^HOOK\.yaml:2: timeout_seconds is "5"; expected a number/],
  "a timeout of nothing": [`${good}timeout_seconds: 0`, /above 0 and at most 3600/],
  "a timeout without end": [`${good}timeout_seconds: .inf`, /above 0 and at most 3600/],
  "too little memory": [`${good}memory_mb: 1`, /memory_mb is 1; expected a whole number of megabytes, 16 to 4096/],
  "half a megabyte": [`${good}memory_mb: 64.5`, /16 to 4096/],
  "allow as a list": [`${good}allow: [fetch]`, /^HOOK\.yaml:2: allow is \["fetch"\]; expected \{fetch/],
  "a URL for a host": [
    `${good}allow:\n  fetch: ["https://x.example/a"]`,
    /^HOOK\.yaml:3: allow\.fetch\[0\] .*without scheme, port and path/,
  ],
  "every host": [`${good}allow: {fetch: ["*"]}`, /expected a host/],
  "one variable without its list": [`${good}allow: {env: TOKEN}`, /allow\.env is "TOKEN"; expected a list/],
  "kv in words": [`${good}allow: {kv: all}`, /allow\.kv is "all"; expected true or false/],
};

for (const [name, [text, problem]] of Object.entries(WRONG)) {
  test(`${name}: a reason with file, line and key`, async () => {
    assert.match(await problemOf(text), problem);
  });
}

test("aliases that multiply are refused, whatever they would come to", async () => {
  const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`);
  assert.match(
    await problemOf(`a0: &a0 [x, x]\n${levels.join("\n")}\n${good}`),
    /^HOOK\.yaml: not valid YAML: .*alias/i,
  );
});

test("brackets without end are refused", async () => {
  assert.match(await problemOf(`events: ${"[".repeat(30_000)}`), /^HOOK\.yaml.*: not (?:valid|usable) YAML/);
});

test("__proto__ is a key that nobody knows, and changes nothing", async () => {
  const { warnings, isolation } = await parse(`${good}__proto__: {isolation: isolate}\nconstructor: x\n`);
  assert.equal(isolation, undefined);
  assert.deepEqual(warnings, [
    'HOOK.yaml:2: unknown key "__proto__", ignored.',
    'HOOK.yaml:3: unknown key "constructor", ignored.',
  ]);
  assert.equal(({} as { isolation?: unknown }).isolation, undefined);
});

test("unknown keys, events that never fire, and allowances that a worker does not need are warned about", async () => {
  const { warnings, vainAllow, events } = await parse(`
events: [agent:strat, agent:end, agent:end, sesion:start, my-plugin:x]
timeout_second: 5
allow: {fetsh: [], kv: true}
`);
  assert.deepEqual(events, ["agent:strat", "agent:end", "sesion:start", "my-plugin:x"]);
  assert.deepEqual(warnings.toSorted(), [
    "HOOK.yaml:2: agent:end is listed twice",
    'HOOK.yaml:2: nothing emits agent:strat. Did you mean "agent:start"?',
    'HOOK.yaml:2: nothing of hermes emits sesion:start. Did you mean "session:start"?',
    'HOOK.yaml:3: unknown key "timeout_second", ignored. Did you mean "timeout_seconds"?',
    'HOOK.yaml:4: unknown key "allow.fetsh", ignored. Did you mean "fetch"?',
  ]);
  const vain = "HOOK.yaml:4: allow has no effect: a handler can do whatever hermes can, except with isolation: isolate";
  assert.equal(vainAllow, vain);
});

test("a file of 10 MB is not read, a pipe is not waited for, a missing one is a reason", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-manifest-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "HOOK.yaml");
  await assert.rejects(readManifest(file, HOOK_FORMAT), /HOOK\.yaml: does not exist$/);
  writeFileSync(file, `${good}#${"x".repeat(10_000_000)}`);
  await assert.rejects(readManifest(file, HOOK_FORMAT), /HOOK\.yaml: is larger than 256 KiB$/);
  rmSync(file);
  execFileSync("mkfifo", [file]);
  await assert.rejects(readManifest(file, HOOK_FORMAT), /HOOK\.yaml: is not a regular file$/);
});
