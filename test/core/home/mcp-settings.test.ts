import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";

const parse = (server: string) => parseConfig(`mcp_servers:\n  one:\n    ${server}\n`, "/home/config.yaml", {});

const ACCEPTED = [
  "command: npx",
  "{ command: npx, args: [-y, server, --port, 8080, true], env: { A_KEY: x, DEBUG: 1 }, enabled: false }",
  "{ url: https://x.example/mcp, headers: { Authorization: Bearer x, X-Id: 7 }, timeout: 0.5, connect_timeout: 86400 }",
  "{ command: x, tools: { include: [a], exclude: [b] } }",
  "{ url: '${UNSET}' }",
];
for (const text of ACCEPTED) {
  test(`accepted: ${text}`, async () => assert.deepEqual((await parse(text)).warnings, []));
}

const REFUSED: readonly (readonly [text: string, key: string, problem: RegExp])[] = [
  ["enabled: true", "one", /expected "command" for a program to start, or "url"/],
  ["{ command: x, url: 'http://x.example' }", "url", /not both/],
  ["{ url: 'http://x.example', args: [x] }", "args", /"args" needs "command"/],
  ["{ url: 'http://x.example', env: { A: x } }", "env", /"env" needs "command"; a URL has "headers"/],
  ["{ command: x, headers: { A: x } }", "headers", /"headers" needs "url"; a program has "env"/],
  ["url: ftp://x.example", "url", /expected an http or https URL/],
  ["{ command: x, args: y }", "args", /expected a list, found "y"/],
  ["{ command: x, env: { A: [1] } }", "A", /expected a text; found a list/],
  ["{ url: 'http://x.example', headers: { 'a b': x } }", "a b", /name of a header/],
  ["{ command: x, timeout: 0 }", "timeout", /expected/],
  ["{ command: x, connect_timeout: 86401 }", "connect_timeout", /at most 86400/],
  ["{ command: x, tools: { include: a } }", "include", /expected a list/],
  ["[]", "one", /expected a mapping, found/],
];
for (const [text, key, problem] of REFUSED) {
  test(`refused with its line: ${text}`, async () => {
    await assert.rejects(parse(text), (error: { code: string; message: string }) => {
      assert.equal(error.code, "HERMES_CONFIG_TYPE");
      assert.match(error.message, problem);
      assert.match(error.message, /^\/home\/config\.yaml:[23]: mcp_servers\.one/);
      assert.ok(error.message.includes(key));
      return true;
    });
  });
}

test("an unknown key and a bad name of a server are told apart", async () => {
  const { warnings } = await parse("{ command: x, comand: y, tools: { includ: [] } }");
  assert.match(warnings.join("\n"), /mcp_servers\.one\.comand.*Did you mean "command"/);
  assert.match(warnings.join("\n"), /mcp_servers\.one\.tools\.includ.*Did you mean "include"/);
  const bad = parseConfig('mcp_servers: { "a\\nb": { command: x } }', "/home/config.yaml", {});
  await assert.rejects(bad, /a name of at most 100 characters/);
});
