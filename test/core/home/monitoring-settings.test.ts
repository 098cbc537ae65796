import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";

const parse = (text: string) => parseConfig(text, "/home/config.yaml", {});

test("the blocks of the documentation are valid", async () => {
  const { values, warnings } = await parse(`
monitoring:
  prometheus:
    enabled: true
    port: 9090
    path: /metrics
  health:
    enabled: true
    port: 8080
    path: /health
`);
  assert.deepEqual(warnings, []);
  assert.equal(values.monitoring?.prometheus?.port, 9090);
});

test("both may share a port, with paths of their own", async () => {
  const { warnings } = await parse("monitoring: { prometheus: { port: 8080 }, health: { enabled: true } }");
  assert.deepEqual(warnings, []);
});

test("an unknown key is named, with the one that was meant", async () => {
  const { warnings } = await parse("monitoring: { prometeus: { enabled: true } }");
  assert.match(warnings.join(), /monitoring\.prometeus.*"prometheus"/);
});

const REFUSED: readonly (readonly [text: string, problem: RegExp])[] = [
  ["{ health: { enabled: sure } }", /monitoring\.health\.enabled/],
  ["{ health: { port: 70000 } }", /monitoring\.health\.port/],
  ["{ health: { path: health } }", /monitoring\.health\.path.*a path like/],
  ["{ prometheus: { port: 8080, path: /health } }", /monitoring\.prometheus\.path.*same port/],
  ["{ prometheus: { port: 8080, path: /livez } }", /monitoring\.prometheus\.path.*same port/],
];
for (const [text, problem] of REFUSED) {
  test(`refused: ${text}`, async () => {
    await assert.rejects(parse(`monitoring: ${text}`), { message: problem });
  });
}
