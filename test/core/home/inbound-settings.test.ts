import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { demandFor } from "#core/home/demands";

const parse = (text: string, env: NodeJS.ProcessEnv = {}) => parseConfig(text, "/home/config.yaml", env);
const NEEDED = "name: push, bind: '127.0.0.1:9876', script: ./push.sh";
const hook = (text: string, needed = NEEDED) => parse(`inbound: [{ ${needed}${text === "" ? "" : `, ${text}`} }]`);

test("the entry of the seed needs only verify, because others can reach it", async () => {
  const { values, warnings } = await parse(`
inbound:
  - name: github-push
    bind: "0.0.0.0:9876"
    script: /path/to/process-github-push.sh
    timeout: 30
    verify: none
`);
  assert.deepEqual(warnings, []);
  assert.equal(values.inbound?.[0]?.timeout, 30);
});

const ACCEPTED = [
  "",
  "timeout: 1, path: /github, methods: [POST, PUT], verify: github, secret: s, env: [GH_TOKEN], max_body: 1",
  "timeout: 3600, concurrency: 1, queue: 0, rate_limit: 1, dedup_header: X-Id, async: true",
  "respond: script, verify: none",
  "coalesce: { key: repository.full_name, window_seconds: 0.5 }",
  "coalesce: { key: 'header:X-Repo', window_seconds: 30 }, async: true",
  "sandbox: read-only",
  "sandbox: { write: [/tmp/x], network: full }",
];
for (const text of ACCEPTED) {
  test(`accepted: ${text}`, async () => assert.deepEqual((await hook(text)).warnings, []));
}

const REFUSED: readonly (readonly [text: string, key: string, problem: RegExp])[] = [
  ["timeout: 0", "timeout", /expected at least 1, found 0/],
  ["timeout: 3601", "timeout", /expected at most 3600, found 3601/],
  ["timeout: 'x'", "timeout", /expected a number, found "x"/],
  ["timeout: 1.5", "timeout", /expected a whole number/],
  ["path: github", "path", /begins with "\/"/],
  ["path: '/a?b'", "path", /begins with "\/"/],
  ["methods: []", "methods", /at least 1/],
  ["methods: [post]", "methods", /expected one of GET/],
  ["verify: hmac, secret: s", "verify", /one of github, gitlab, stripe/],
  ["verify: github", "secret", /required by verify: github/],
  ["secret: s", "secret", /nothing is verified without verify/],
  ["env: ['A-B']", "env", /name of a variable/],
  ["max_body: 0", "max_body", /at least 1/],
  ["concurrency: 0", "concurrency", /at least 1/],
  ["queue: -1", "queue", /at least 0/],
  ["rate_limit: 0", "rate_limit", /at least 1/],
  ["dedup_header: 'a b'", "dedup_header", /name of a header/],
  ["async: sometimes", "async", /expected a boolean/],
  ["respond: always", "respond", /status, script/],
  ["respond: script, async: true", "respond", /answers before it runs/],
  ["respond: script, coalesce: { key: a, window_seconds: 1 }", "respond", /answers before it runs/],
  ["coalesce: { key: a..b, window_seconds: 1 }", "key", /repository\.full_name/],
  ["coalesce: { key: a }", "window_seconds", /missing/],
  ["sandbox: open", "sandbox", /expected one of auto/],
];
for (const [text, key, problem] of REFUSED) {
  test(`refused: ${text}`, async () => {
    await assert.rejects(hook(text), (error: Error & { fields?: { line?: number; key?: string } }) => {
      assert.match(error.message, problem);
      assert.ok(error.message.includes(`inbound[0].`) && error.message.includes(key), error.message);
      assert.equal(error.fields?.line, 1, error.message);
      return true;
    });
  });
}

const INCOMPLETE: readonly (readonly [text: string, problem: RegExp])[] = [
  ["bind: '127.0.0.1:1', script: x", /inbound\[0\]\.name.*missing/],
  ["name: 'a b', bind: '127.0.0.1:1', script: x", /inbound\[0\]\.name.*letters, digits/],
  ["name: a, script: x", /inbound\[0\]\.bind.*missing/],
  ["name: a, bind: '9876', script: x", /inbound\[0\]\.bind.*expected host:port/],
  ["name: a, bind: '127.0.0.1:70000', script: x", /inbound\[0\]\.bind.*expected host:port/],
  ["name: a, bind: '127.0.0.1:1'", /inbound\[0\]\.script.*missing/],
  ["name: a, bind: '0.0.0.0:1', script: x", /inbound\[0\]\.verify.*0\.0\.0\.0 can be reached from other machines/],
  ["name: a, bind: 'example.com:1', script: x", /inbound\[0\]\.verify.*can be reached/],
  ["name: a, bind: '[::]:1', script: x", /inbound\[0\]\.verify.*can be reached/],
];
for (const [text, problem] of INCOMPLETE) {
  test(`incomplete: ${text}`, () => assert.rejects(hook("", text), problem));
}

const PAIRS: readonly (readonly [one: string, other: string, problem: RegExp | null])[] = [
  ["name: a, bind: 'localhost:1'", "name: a, bind: 'localhost:2'", /inbound\[1\]\.name.*two inbound webhooks/],
  ["name: a, bind: 'localhost:1'", "name: b, bind: 'LocalHost:01'", /inbound\[1\]\.bind.*"a" has the same bind/],
  ["name: a, bind: 'localhost:1', path: /x", "name: b, bind: 'localhost:1', path: /x", /inbound\[1\]\.path.*same bind/],
  ["name: a, bind: 'localhost:1', path: /x", "name: b, bind: 'localhost:1', path: /y", null],
  ["name: a, bind: 'localhost:1', path: /x", "name: b, bind: 'localhost:1'", null],
  ["name: a, bind: 'localhost:1'", "name: b, bind: 'localhost:2'", null],
];
for (const [one, other, problem] of PAIRS) {
  test(`two hooks: ${one} and ${other}`, async () => {
    const parsed = parse(`inbound:\n  - { ${one}, script: x }\n  - { ${other}, script: x }\n`);
    if (problem === null) assert.deepEqual((await parsed).warnings, []);
    else await assert.rejects(parsed, problem);
  });
}

test("an unknown key is a warning", async () => {
  assert.match((await hook("retries: 3")).warnings[0] ?? "", /unknown key "inbound\[0\]\.retries"/);
});

test("a secret is never shown", async () => {
  await assert.rejects(hook("verify: github, secret: [hush]"), (error: Error) => !error.message.includes("hush"));
});

test("only the hooks that start need their variables", async () => {
  const config = await parse(
    `
inbound:
  - { name: a, bind: "localhost:1", script: x, verify: github, secret: "\${SECRET_A}" }
  - { name: b, bind: "localhost:2", script: x, verify: github, secret: "\${SECRET_B}" }
`,
    { SECRET_B: "b" },
  );
  demandFor("inbound", config, "b");
  demandFor("cli", config);
  assert.throws(() => demandFor("inbound", config, "a"), /config\.yaml:3: inbound\[0\]\.secret.*SECRET_A is not set/);
  assert.throws(() => demandFor("inbound", config), /SECRET_A/);
});
