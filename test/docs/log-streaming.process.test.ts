/** What docs/log-streaming.md shows, as it stands there: only URLs, ports and one path are replaced. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { until } from "../helpers/poll.ts";
import { startRawReceiver } from "../helpers/raw-receiver.ts";
import { createCertificate, startTcp, startUdp } from "../helpers/syslog.ts";

const PAGE = "docs/log-streaming.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");
/** A platform that is ready at once, and a hook that writes into the log. */
const GATEWAY = "gateway: { platforms: { api_server: { enabled: true, port: 0 } } }\n";
const HANDLER = "export function handle() { console.log('the gateway is up'); }\n";

function configure(newcomer: Newcomer, text: string): void {
  const hook = join(newcomer.home, ".hermes/hooks/watch");
  mkdirSync(hook, { recursive: true });
  writeFileSync(join(hook, "HOOK.yaml"), 'name: watch\nevents: ["gateway:startup"]\n');
  writeFileSync(join(hook, "handler.js"), HANDLER);
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), GATEWAY + text);
}

/** Runs a gateway until its first lines have arrived, and then the given block. */
const UNTIL_LOGGED = (file: string, block: string) =>
  `hermes gateway & until grep -qs 'gateway is up' ${file}; do sleep 0.1; done\n${block}\nkill %1; wait %1`;

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...yaml.keys()], ["log-streaming", "log-streaming-full"]);
  assert.deepEqual([...sh.keys()], ["log-streaming-follow"]);
  for (const [language, count] of Object.entries({ yaml: 2, sh: 1 })) assert.equal(countBlocks(PAGE, language), count);
});

test("the first example sends the lines of the gateway to a file, to syslog and over HTTP", async (t) => {
  const [udp, http] = [await startUdp(t), await startRawReceiver(t)];
  const newcomer = new Newcomer(t);
  const text = yaml.get("log-streaming")!;
  configure(newcomer, text.replace(":514", `:${udp.port}`).replace("https://logs.example.com", http.url));
  const tried = await newcomer.run(UNTIL_LOGGED("~/.hermes/hermes.log", sh.get("log-streaming-follow")!));
  assert.equal(tried.code, 0, tried.stderr);
  const isLine = (line: string) => line.includes("the gateway is up");
  const { level, time, pid } = JSON.parse(tried.stdout.split("\n").find(isLine)!) as Record<string, unknown>;
  assert.deepEqual([typeof level, typeof time, typeof pid], ["number", "string", "number"]);
  await until(() => udp.messages.some(isLine) && http.lines().some(isLine), "the servers have the line");
});

test("the full example is valid, and its lines arrive with the facility and the token", async (t) => {
  const newcomer = new Newcomer(t);
  configure(newcomer, "");
  const certificate = createCertificate(newcomer.home);
  const [tls, http] = [await startTcp(t, { tls: certificate }), await startRawReceiver(t)];
  const text = yaml
    .get("log-streaming-full")!
    .replace("/var/log/hermes", join(newcomer.home, "log"))
    .replace("logs.example.com:6514", `localhost:${tls.port}`)
    .replace("~/.hermes/syslog-ca.pem", certificate.cert)
    .replace("https://logs.example.com", http.url);
  configure(newcomer, text);
  const env = { LOG_TOKEN: "t0ken" };
  const checked = await newcomer.run("hermes config check", { env });
  assert.equal(checked.code, 0, checked.stderr);
  const tried = await newcomer.run(UNTIL_LOGGED("~/log/hermes.log", ""), { env });
  assert.equal(tried.code, 0, tried.stderr);
  const isLine = (line: string) => line.includes("the gateway is up");
  await until(() => tls.messages.some(isLine) && http.lines().some(isLine), "the servers have the line");
  // local0 and the level of the line: 16 * 8 + 6.
  assert.match(tls.messages.find(isLine)!, /^<134>1 /);
  assert.equal(http.received[0]?.headers.authorization, "Bearer t0ken");
});
