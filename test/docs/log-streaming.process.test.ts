/** What docs/log-streaming.md shows, as it stands there: only URLs, ports and one path are replaced. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import type { Ended } from "../helpers/hermes.ts";
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

/**
 * Runs a gateway until its first lines are in the file, then the given block, and ends the gateway when `hasArrived` is
 * true: at its end, it gives the servers a limited time.
 */
async function untilArrived(
  newcomer: Newcomer,
  { file, block = "", env = {} }: { file: string; block?: string; env?: NodeJS.ProcessEnv },
  hasArrived: () => boolean,
): Promise<Ended> {
  const lines = [
    `hermes gateway & until grep -qs 'gateway is up' ${file}; do sleep 0.1; done`,
    block,
    "until [ -e ~/arrived ]; do sleep 0.1; done",
    "kill %1; wait %1",
  ];
  const tried = newcomer.run(lines.join("\n"), { env });
  try {
    await until(hasArrived, "the servers have the line");
  } finally {
    writeFileSync(join(newcomer.home, "arrived"), "");
  }
  return tried;
}

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
  const isLine = (line: string) => line.includes("the gateway is up");
  const tried = await untilArrived(
    newcomer,
    { file: "~/.hermes/hermes.log", block: sh.get("log-streaming-follow")! },
    () => udp.messages.some(isLine) && http.lines().some(isLine),
  );
  assert.equal(tried.code, 0, tried.stderr);
  const { level, time, pid } = JSON.parse(tried.stdout.split("\n").find(isLine)!) as Record<string, unknown>;
  assert.deepEqual([typeof level, typeof time, typeof pid], ["number", "string", "number"]);
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
  const isLine = (line: string) => line.includes("the gateway is up");
  const hasArrived = () => tls.messages.some(isLine) && http.lines().some(isLine);
  const tried = await untilArrived(newcomer, { file: "~/log/hermes.log", env }, hasArrived);
  assert.equal(tried.code, 0, tried.stderr);
  // local0 and the level of the line: 16 * 8 + 6.
  assert.match(tls.messages.find(isLine)!, /^<134>1 /);
  assert.equal(http.received[0]?.headers.authorization, "Bearer t0ken");
});
