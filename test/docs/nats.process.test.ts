/** docs/nats.md as it stands there, with a real nats-server; only its address is another one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { parseConfig } from "#core/home/config";
import { countBlocks, examplesOf } from "../helpers/examples.ts";
import { Home } from "../helpers/hermes.ts";
import { NatsServer } from "../helpers/nats.ts";
import { until } from "../helpers/poll.ts";
import { killQuietly } from "../helpers/processes.ts";

const PAGE = "docs/nats.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");
const server = await NatsServer.start({ after });

/** A home whose events go to the server. */
function natsHome(t: TestContext): Home {
  const home = new Home(t);
  home.write(
    "config.yaml",
    `forward: { nats: { servers: ["${server.url}"], token: "secret-token-of-nats" } }\n`,
    0o600,
  );
  return home;
}

/** The arguments of a command of the page. */
const argsOf = (example: string) => sh.get(example)!.trim().split(" ").slice(1);

/** Starts a dashboard that reads the stream; gives the events that it shows. */
async function startDashboard(t: TestContext, home: Home) {
  const running = home.start([...argsOf("nats-dashboard"), "--port", "0"]);
  t.after(() => killQuietly(running.pid));
  await running.sees("#code=");
  const { url, hooks_ingest_token: token } = JSON.parse(home.read("dashboard.json")) as Record<string, string>;
  const shown = async () => {
    const response = await fetch(`${url}/api/history`, { headers: { authorization: `Bearer ${token}` } });
    const { events } = (await response.json()) as {
      events: { event_type: string; context: { session_id?: string } }[];
    };
    return events.map(({ event_type, context }) => `${context.session_id} ${event_type}`);
  };
  return { running, shown };
}

const isOver = (shown: readonly string[], turns: number) =>
  shown.filter((event) => event.endsWith("tui:turn.complete")).length >= turns;

test("every block of the page is an example, and its settings are valid", async () => {
  for (const language of ["sh", "yaml"]) assert.equal(countBlocks(PAGE, language), examplesOf(PAGE, language).size);
  const { warnings, values } = await parseConfig(yaml.get("nats-full")!, "config.yaml", { NATS_PASSWORD: "p" });
  assert.deepEqual([warnings, values.forward?.nats?.password], [[], "p"]);
});

test("the dashboards of two machines show the one-shot runs of both, each event once", async (t) => {
  const [here, there] = [natsHome(t), natsHome(t)];
  const dashboards = await Promise.all([startDashboard(t, here), startDashboard(t, there)]);
  for (const home of [here, there]) {
    const { code, stderr } = await home.run(["chat", "-q", "hello"]);
    assert.deepEqual([code, stderr], [0, ""]);
  }
  const events = await server.messages("HERMES_EVENTS");
  assert.match(events.map(({ subject }) => subject).join(" "), /^hermes\.events\.cli\.[\w.]+/);
  for (const { shown, running } of dashboards) {
    await until(async () => isOver(await shown(), 2) && (await shown()).length >= events.length, "both are shown");
    const all = await shown();
    const sent = events.map(({ body }) => {
      const { event_type, context } = body as { event_type: string; context: { session_id?: string } };
      return `${context.session_id} ${event_type}`;
    });
    assert.deepEqual(all.toSorted(), sent.toSorted());
    running.kill("SIGTERM");
    assert.equal((await running.ended).code, 0);
  }
  assert.doesNotMatch(here.read("logs/hermes.log"), /secret-token-of-nats/);
});

test("without forward.nats, --nats is a mistake; nothing of NATS or PostgreSQL is loaded unless it is configured", async (t) => {
  const home = new Home(t);
  const { code, stderr } = await home.run(["dashboard", "--port", "0", "--nats"]);
  assert.equal(code, 2);
  assert.match(stderr, /--nats needs the servers of a stream: set forward\.nats\.servers in config\.yaml/);
  const loads = join(home.path, "loads");
  const notes = `data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from "node:fs";
    import { registerHooks } from "node:module";
    registerHooks({ load(url, context, next) { appendFileSync(process.env.LOADS_FILE, url + "\\n"); return next(url, context); } });`)}`;
  const loadedBy = async (where: Home, args = ["chat", "-q", "hello"]) => {
    const env = { NODE_OPTIONS: `--import ${notes}`, LOADS_FILE: loads };
    assert.equal((await where.run(args, { env })).code, 0);
    return readFileSync(loads, "utf8");
  };
  const others = /@nats-io|forward\/nats|node_modules\/pg|storage\/postgres/;
  assert.doesNotMatch(await loadedBy(home), others);
  assert.doesNotMatch(await loadedBy(home, ["tasks", "list"]), others);
  assert.match(await loadedBy(natsHome(t)), /@nats-io/);
});

test("hooks doctor says whether events get to the stream", async (t) => {
  const home = natsHome(t);
  const ok = await home.run(argsOf("nats-doctor"));
  assert.equal(ok.code, 0, ok.stdout);
  assert.match(
    ok.stdout,
    /NATS at nats:\S+: (events go to the stream HERMES_EVENTS, which has|the stream HERMES_EVENTS will be)/,
  );
  home.write("config.yaml", 'forward: { nats: { servers: ["nats://127.0.0.1:1"] } }\n', 0o600);
  const { code, stdout } = await home.run(argsOf("nats-doctor"));
  assert.equal(code, 1);
  assert.match(stdout, /Events do not get to NATS at nats:\/\/127\.0\.0\.1:1: connection refused/);
});

test("a bad URL of a server is an error that names its key", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "forward:\n  nats:\n    servers: [127.0.0.1:4222]\n");
  const { code, stderr, stdout } = await home.run(["config", "check"]);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /config\.yaml:3: forward\.nats\.servers\[0\]: expected a URL like nats:/);
});
