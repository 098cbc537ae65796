/** `logging.stream` in a real gateway: the block of the seed, with other ports, and what happens to the file. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { Home } from "../helpers/hermes.ts";
import { lives } from "../helpers/processes.ts";
import { noPty } from "../helpers/pty.ts";
import { until } from "../helpers/poll.ts";
import { startRawReceiver } from "../helpers/raw-receiver.ts";
import { startUdp } from "../helpers/syslog.ts";

const SEED = `logging:
  stream:
    enabled: true
    format: json
    destinations:
      - type: file
        path: ~/.hermes/hermes.log
      - type: syslog
        address: localhost:514
      - type: http
        url: https://logs.example.com/ingest
`;
const FILE_ONLY = "logging: { stream: { destinations: [{ type: file, path: all.log }] } }\n";
/** A gateway hook that prints what it is sent, which goes into the log. */
const MANIFEST = 'name: watch\nevents: ["agent:end"]\n';
const HANDLER = "export function handle(_type, context) { console.log(`heard ${context.message}`); }\n";

function prepare(t: { after(fn: () => void): void }): Home {
  const home = new Home(t);
  home.write("hooks/watch/HOOK.yaml", MANIFEST);
  home.write("hooks/watch/handler.js", HANDLER);
  return home;
}

const heard = (text: string) => text.split("\n").flatMap((line) => /heard ([^"]*)"/.exec(line)?.slice(1) ?? []);

test("each line of the log, without secrets, also goes to all three destinations of the seed", async (t) => {
  const [udp, http] = [await startUdp(t), await startRawReceiver(t)];
  const home = prepare(t);
  const stream = SEED.replace("localhost:514", `localhost:${udp.port}`).replace("https://logs.example.com", http.url);
  const gateway = await startGateway(t, home, { config: API_SERVER + stream, env: { MY_SECRET: "hunter2hunter2" } });
  await gateway.say("one");
  await gateway.say("my hunter2hunter2");
  await until(() => heard(home.read("logs/hermes.log")).length === 2, "the hook has written both");
  gateway.kill("SIGTERM");
  const { code, stderr } = await gateway.ended;
  assert.equal(code, 0, stderr);
  const own = home.read("logs/hermes.log").trim().split("\n");
  assert.deepEqual(heard(own.join("\n")), ["one", "my [redacted]"]);
  const streamed = own.filter((line) => !line.includes('"destination":'));
  const about = own.filter((line) => line.includes('"destination":'));
  assert.deepEqual(about, []);
  assert.deepEqual(home.read("hermes.log").trim().split("\n"), streamed);
  assert.deepEqual(http.lines(), streamed);
  assert.deepEqual(
    udp.messages.map((message) => message.slice(message.indexOf("{"))),
    streamed,
  );
  assert.equal(http.received[0]?.path, "/ingest");
});

test("the file is made again when it is removed, and at SIGHUP, which stops no gateway that streams to a file", async (t) => {
  const home = prepare(t);
  const gateway = await startGateway(t, home, { config: API_SERVER + FILE_ONLY });
  const file = join(home.path, "all.log");
  const streamed = () => (existsSync(file) ? heard(readFileSync(file, "utf8")) : []);
  await gateway.say("one");
  await until(() => streamed().includes("one"), "the first line");
  rmSync(file);
  await gateway.say("two");
  await until(() => streamed().includes("two"), "the line after the removal");
  assert.ok(!streamed().includes("one"));
  renameSync(file, `${file}.old`);
  gateway.kill("SIGHUP");
  await gateway.say("three");
  await until(() => streamed().includes("three"), "the line after SIGHUP");
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});

test("a reload streams to other destinations; without a file SIGHUP stops the gateway again", async (t) => {
  const home = prepare(t);
  const gateway = await startGateway(t, home, { config: API_SERVER + FILE_ONLY });
  const http = await startRawReceiver(t);
  const destination = `{ type: http, url: "${http.url}", interval_ms: 0 }`;
  home.write("config.yaml", `${API_SERVER}logging: { stream: { destinations: [${destination}] } }\n`);
  let asked = 0;
  await until(async () => {
    await gateway.say(`after ${asked++}`);
    return http.received.length > 0;
  }, "the new destination gets lines");
  gateway.kill("SIGHUP");
  assert.equal((await gateway.ended).code, 0);
});

test("two gateways share a file: one writes it, the other sends its lines to it, and writes when that is killed", async (t) => {
  const [first, second] = [prepare(t), prepare(t)];
  const shared = join(first.path, "shared.log");
  const config = `${API_SERVER}logging: { stream: { destinations: [{ type: file, path: ${shared} }] } }\n`;
  const one = await startGateway(t, first, { config });
  await one.say("from one");
  const streamed = () => (existsSync(shared) ? heard(readFileSync(shared, "utf8")) : []);
  await until(() => streamed().includes("from one"), "the first line");
  const two = await startGateway(t, second, { config });
  await two.say("from two");
  await until(() => streamed().includes("from two"), "the line of the second");
  await one.say("from one again");
  await until(() => streamed().includes("from one again"), "the next line of the first");
  one.kill("SIGKILL");
  await one.ended;
  await two.say("from two alone");
  await until(() => streamed().includes("from two alone"), "the line after the first was killed");
  assert.deepEqual(streamed(), ["from one", "from two", "from one again", "from two alone"]);
  two.kill("SIGTERM");
  assert.equal((await two.ended).code, 0);
  assert.doesNotMatch(second.read("logs/hermes.log"), /dropped|cannot be sent/);
});

test("a destination that is down delays neither an answer nor the end for long, and the log says so", async (t) => {
  const home = prepare(t);
  const destinations = [
    "{ type: syslog, address: '127.0.0.1:9', protocol: tcp }",
    "{ type: http, url: 'http://127.0.0.1:9/x', interval_ms: 0 }",
    "{ type: file, path: /proc/nowhere/x.log }",
  ];
  const config = `${API_SERVER}logging: { stream: { destinations: [${destinations.join(", ")}] } }\n`;
  const gateway = await startGateway(t, home, { config });
  assert.equal((await gateway.say("hello")).status, 200);
  const log = () => (home.has("logs/hermes.log") ? home.read("logs/hermes.log") : "");
  await until(() => heard(log()).length === 1, "the log has it");
  // Each is logged when it has failed, which the end does not wait for.
  await until(
    () => new Set(log().match(/(?:syslog tcp|log lines for http|the file \/proc)/g)).size === 3,
    "all failed",
    {
      seen: log,
    },
  );
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  assert.match(log(), /syslog tcp:\/\/127\.0\.0\.1:9 cannot be sent and will be tried again: connect ECONNREFUSED/);
  assert.match(log(), /log lines for http:\/\/127\.0\.0\.1:9 cannot be sent/);
  assert.match(log(), /the file \/proc\/nowhere\/x\.log cannot be sent/);
});

test(
  "on a terminal, SIGHUP opens the file again; closing the terminal still ends the gateway",
  { skip: noPty },
  async (t) => {
    const home = prepare(t);
    home.write("config.yaml", API_SERVER + FILE_ONLY);
    const pty = home.terminal(["gateway"]);
    t.after(() => pty.kill());
    await pty.see("The gateway is running");
    const pid = await until(() => pty.pid(), "the process is known");
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(pty.output())![0];
    const say = (content: string) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content }] }),
      });
    process.kill(pid, "SIGHUP");
    assert.equal((await say("still here")).status, 200);
    await until(() => home.has("all.log") && heard(home.read("all.log")).length === 1, "the line is streamed");
    pty.kill();
    await until(() => !lives(pid), "the gateway has ended");
    assert.match(home.read("logs/hermes.log"), /still here/);
  },
);
