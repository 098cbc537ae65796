/** What docs/webhooks.md shows, as it stands there: only URLs are replaced. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { startReceiver } from "../helpers/receiver.ts";

const PAGE = "docs/webhooks.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");

function configure(newcomer: Newcomer, text: string): void {
  mkdirSync(join(newcomer.home, ".hermes"), { recursive: true });
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), text);
}

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...yaml.keys()], ["webhook-slack", "webhook-full"]);
  assert.deepEqual([...sh.keys()], ["webhook-try", "webhook-verify"]);
  for (const [language, count] of Object.entries({ yaml: 2, sh: 2, json: 1 })) {
    assert.equal(countBlocks(PAGE, language), count, language);
  }
});

test("a finished turn reaches Slack in its form", async (t) => {
  const receiver = await startReceiver(t);
  const newcomer = new Newcomer(t);
  configure(newcomer, yaml.get("webhook-slack")!.replace("https://hooks.slack.com", receiver.url));
  const tried = await newcomer.run(sh.get("webhook-try")!);
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stdout, /agent:end to agent:end: delivered[^]*delivered/);
  await newcomer.run("hermes chat -q hello");
  assert.equal(receiver.received[1]?.path, "/services/T00/B00/XXX");
  assert.match((JSON.parse(receiver.received[1].body) as { text: string }).text, /^hello: /);
});

test("the full example is valid, and its signature is what the page says", async (t) => {
  const receiver = await startReceiver(t);
  const newcomer = new Newcomer(t);
  configure(
    newcomer,
    yaml.get("webhook-full")!.replaceAll(/https?:\/\/(?:ci\.example\.com|192\.168\.1\.20:3000)/g, receiver.url),
  );
  const env = { WEBHOOK_SECRET: "common", WEBHOOK_HMAC_SECRET: "s3cret" };
  const checked = await newcomer.run("hermes config check", { env });
  assert.equal(checked.code, 0, checked.stderr);
  await newcomer.run('hermes chat -q "run \\`true\\`"', { env });
  const bySize = receiver.received.toSorted((left, right) => left.path.length - right.path.length);
  assert.deepEqual(
    bySize.map(({ path, method }) => [path, method]),
    [
      ["/tool", "POST"],
      ["/hooks/tool", "PUT"],
    ],
  );
  const [plain, signed] = bySize as [(typeof bySize)[0], (typeof bySize)[0]];
  assert.equal(plain.headers.authorization, undefined);
  assert.equal(signed.headers["x-team"], "core");
  writeFileSync(join(newcomer.home, "body.json"), signed.body);
  const { stdout } = await newcomer.run(sh.get("webhook-verify")!, { env });
  assert.equal(signed.headers["x-hermes-signature"], `sha256=${stdout.trim().split(" ").at(-1)}`);
  assert.equal(stdout.trim().split(" ").at(-1), createHmac("sha256", "s3cret").update(signed.body).digest("hex"));
});
