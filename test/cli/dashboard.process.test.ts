import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { openTab, startBrowser } from "../helpers/browser.ts";
import { Home, type Running, type StartOptions } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import type { ShownEvent } from "../helpers/dashboard.ts";
import { killQuietly } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

interface Started extends Running {
  readonly url: string;
  readonly link: string;
}

/** Starts `hermes dashboard` on a free port and waits until it says where it is. */
async function start(
  t: TestContext,
  home: Home,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Started> {
  const running = home.start(["dashboard", "--port", "0", ...args], options);
  t.after(() => killQuietly(running.pid));
  await running.sees("#code=");
  const [, url = "", link = ""] = /The dashboard is at (\S+)\n.*?: (\S+)/.exec(running.stdout()) ?? [];
  return { ...running, url, link };
}

const discoveryOf = (home: Home) =>
  JSON.parse(home.read("dashboard.json")) as { url: string; hooks_ingest_token: string; pid: number };

/** Sends one event as another process would. */
async function send(home: Home, event_type: string, context: Record<string, unknown> = {}): Promise<number> {
  const { url, hooks_ingest_token } = discoveryOf(home);
  const { status } = await fetch(`${url}/api/hooks/ingest`, {
    method: "POST",
    headers: { authorization: `Bearer ${hooks_ingest_token}`, "content-type": "application/json" },
    body: JSON.stringify({ event_type, context, src: "test" }),
  });
  return status;
}

async function signIn(link: string): Promise<{ status: number; cookie: string }> {
  const { origin, hash } = new URL(link);
  const { status, headers } = await fetch(`${origin}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code: hash.replace("#code=", "") }),
  });
  return { status, cookie: headers.get("set-cookie")?.split(";", 1)[0] ?? "" };
}

test("it says where it is and how to sign in, and never the token", async (t) => {
  const home = new Home(t);
  const dashboard = await start(t, home);
  const { url, hooks_ingest_token, pid } = discoveryOf(home);
  assert.equal(url, dashboard.url);
  assert.equal(pid, dashboard.pid);
  assert.equal(statSync(join(home.path, "dashboard.json")).mode & 0o777, 0o600);
  assert.match(
    dashboard.stdout(),
    /^The dashboard is at http:\/\/127\.0\.0\.1:\d+\nSign in \(valid once, for ten minutes\): /,
  );
  const { status, cookie } = await signIn(dashboard.link);
  assert.equal(status, 204);
  assert.equal((await signIn(dashboard.link)).status, 401);
  assert.equal((await fetch(`${url}/api/status`, { headers: { cookie } })).status, 200);
  dashboard.kill("SIGTERM");
  const { code, stdout, stderr } = await dashboard.ended;
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.ok(!stdout.includes(hooks_ingest_token));
  assert.ok(!home.read("logs/hermes.log").includes(hooks_ingest_token));
  assert.ok(!home.has("dashboard.json"));
});

test("a second signal cuts a drain that takes long", async (t) => {
  const home = new Home(t);
  home.plugin("slow", "export const register = (ctx) => ctx.on_unload(() => new Promise(() => {}));");
  home.write("config.yaml", "plugins: { enabled: [slow] }\n");
  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const dashboard = await start(t, home);
    dashboard.kill(signal);
    await until(() => !home.has("dashboard.json"), "the drain has begun");
    // Signals that come together are one wish.
    const again = setInterval(() => dashboard.kill(signal), 300);
    const { code } = await dashboard.ended;
    clearInterval(again);
    assert.equal(code, expected);
  }
});

test("--json prints one document; Ctrl+C ends it with 0", async (t) => {
  const home = new Home(t);
  const running = home.start(["dashboard", "--port", "0", "--json"]);
  t.after(() => killQuietly(running.pid));
  await running.sees("}\n");
  const { url, link, ...rest } = JSON.parse(running.stdout()) as Record<string, string>;
  assert.equal(url, discoveryOf(home).url);
  assert.ok(link?.startsWith(`${url}/#code=`));
  assert.deepEqual(rest, {});
  running.kill("SIGINT");
  assert.equal((await running.ended).code, 0);
  assert.ok(!home.has("dashboard.json"));
});

test("a plugin sees what happens in other processes, through ctx.on", async (t) => {
  const home = new Home(t);
  const file = join(home.work, "seen");
  home.plugin(
    "watcher",
    `import { appendFileSync } from "node:fs";
     export function register(ctx) {
       ctx.on("tui:*", (type, context) => appendFileSync(${JSON.stringify(file)}, JSON.stringify([type, context]) + "\\n"));
       ctx.on("agent:end", () => { throw new Error("a broken handler"); });
     }`,
  );
  home.write("config.yaml", "plugins: { enabled: [watcher] }\n");
  const dashboard = await start(t, home);
  assert.equal(await send(home, "agent:end"), 200);
  assert.equal(await send(home, "tui:tool.start", { session_id: "s-1", payload: { name: "read_file" } }), 200);
  await until(() => existsSync(file), "the handler has run");
  const context = { session_id: "s-1", payload: { name: "read_file" }, _forwarded: true, _forwarded_from: "test" };
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), ["tui:tool.start", context]);
  await dashboard.sees("a broken handler");
  assert.match(dashboard.stderr(), /watcher/);
});

test("what happens in a chat is there as soon as the chat has ended", async (t) => {
  const home = new Home(t);
  await start(t, home);
  const { code } = await home.run(["chat", "-q", "run `echo hi`", "-Q"]);
  assert.equal(code, 0);
  const events = await historyOf(home);
  assert.ok(events.every(({ src }) => src === "cli"));
  const names = events.map(({ event_type }) => event_type);
  const expected = [
    "tui:session.info",
    "agent:start",
    "tui:tool.start",
    "tui:tool.complete",
    "agent:end",
    "session:end",
  ];
  for (const name of expected) assert.ok(names.includes(name), `${name} among ${names.join(" ")}`);
  assert.ok(names.indexOf("agent:start") < names.indexOf("agent:end"));
});

test("the gateway's start-up checklist is not run again by the dashboard that hears of the start", async (t) => {
  const home = new Home(t);
  home.write("BOOT.md", "Say hello.\n");
  const dashboard = await start(t, home);
  assert.equal(await send(home, "gateway:startup", { platforms: [] }), 200);
  dashboard.kill("SIGTERM");
  assert.deepEqual(await dashboard.ended, { code: 0, signal: null, stdout: dashboard.stdout(), stderr: "" });
});

test("safe mode loads no plugin, and the dashboard works", async (t) => {
  const home = new Home(t);
  home.plugin("loud", 'process.stderr.write("loaded\\n"); export function register() {}');
  home.write("config.yaml", "plugins: { enabled: [loud] }\n");
  const dashboard = await start(t, home, ["--safe-mode"]);
  assert.equal(await send(home, "agent:start"), 200);
  assert.equal(dashboard.stderr(), "");
  const loud = await start(t, new Home(t), ["--home", home.path]);
  await loud.sees("loaded");
});

test("a port in use is said with the option that gives another", async (t) => {
  const home = new Home(t);
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  home.write("config.yaml", `dashboard: { port: ${port} }\n`);
  for (const args of [[], ["--port", String(port)]]) {
    const { code, stdout, stderr } = await home.run(["dashboard", ...args]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^hermes: Port ${port} on 127\\.0\\.0\\.1 is in use\\. .*--port`));
    assert.ok(!home.has("dashboard.json"));
  }
});

test("an address that cannot be had is 1, a port that is none is 2", async (t) => {
  const home = new Home(t);
  const elsewhere = await home.run(["dashboard", "--host", "192.0.2.1", "--insecure", "--port", "0"]);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /^hermes: The dashboard cannot listen on 192\.0\.2\.1, port 0: /);
  for (const port of ["65536", "-1", "x", "", "1.5"]) {
    const { code, stderr } = await runInProcess(home, ["dashboard", `--port=${port}`]);
    assert.equal(code, 2, port);
    assert.match(stderr, /--port/);
  }
  const nowhere = await runInProcess(home, ["dashboard", "--host", ""]);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /--host/);
});

test("an IPv6 address may be written in brackets; a model that cannot be configured does not concern it", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: openai, api_key: '${NOT_SET_ANYWHERE}' }\n");
  const { url, stderr } = await start(t, home, ["--host", "[::1]"]);
  assert.equal(stderr(), "");
  assert.match(url, /^http:\/\/\[::1\]:\d+$/);
  assert.equal((await fetch(`${url}/api/hooks/health`)).status, 200);
});

test("other machines can reach it only with --insecure, whether the address is an option or in the configuration", async (t) => {
  const home = new Home(t);
  const refused = await home.run(["dashboard", "--host", "0.0.0.0"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^hermes: A dashboard on 0\.0\.0\.0 .*--insecure/);
  home.write("config.yaml", "dashboard: { host: 0.0.0.0 }\n");
  assert.equal((await home.run(["dashboard"])).code, 2);
  assert.ok(!home.has("dashboard.json"));
  const dashboard = await start(t, home, ["--insecure"]);
  assert.match(discoveryOf(home).url, /^http:\/\/127\.0\.0\.1:/);
  assert.equal(await send(home, "agent:start"), 200);
  assert.equal(dashboard.stderr(), "");
});

test("a configuration of the wrong type is 2, with file and line", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "dashboard:\n  port: many\n");
  const { code, stderr } = await home.run(["dashboard"]);
  assert.equal(code, 2);
  assert.match(stderr, /config\.yaml:2: .*port/);
});

test("--link gives a fresh link of the dashboard that runs", async (t) => {
  const home = new Home(t);
  const nobody = await home.run(["dashboard", "--link"]);
  assert.equal(nobody.code, 4);
  assert.match(
    nobody.stderr,
    /^hermes: No dashboard is running: .*dashboard\.json does not exist\. .*hermes dashboard/,
  );

  const dashboard = await start(t, home);
  const { code, stdout } = await home.run(["dashboard", "--link"]);
  assert.equal(code, 0);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43}\n$/);
  assert.notEqual(stdout.trim(), dashboard.link);
  assert.equal((await signIn(stdout.trim())).status, 204);
  const json = JSON.parse((await runInProcess(home, ["dashboard", "--link", "--json"])).stdout) as {
    url: string;
    link: string;
  };
  assert.equal(json.url, dashboard.url);
  assert.equal((await signIn(json.link)).status, 204);
  assert.equal((await signIn(dashboard.link)).status, 204);

  const both = await runInProcess(home, ["dashboard", "--link", "--port", "1"]);
  assert.equal(both.code, 2);
});

test("after kill -9 the next start replaces the file, and shows what came before", async (t) => {
  const home = new Home(t);
  const first = await start(t, home);
  await send(home, "agent:start", { n: 1 });
  const before = discoveryOf(home);
  const stored = async () => (await historyOf(home)).map(({ context }) => context["n"]);
  await until(() => rowsOf(join(home.path, "state.db")) === 1, "what was taken is soon on the disk");
  first.kill("SIGKILL");
  await first.ended;
  assert.ok(home.has("dashboard.json"));
  const nobody = await runInProcess(home, ["dashboard", "--link"]);
  assert.equal(nobody.code, 4);
  assert.match(nobody.stderr, /does not answer/);

  await start(t, home);
  assert.notEqual(discoveryOf(home).hooks_ingest_token, before.hooks_ingest_token);
  assert.deepEqual(await stored(), [1]);
  await send(home, "agent:start", { n: 2 });
  assert.deepEqual(await stored(), [1, 2]);
});

function rowsOf(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare("SELECT count(*) AS count FROM dashboard_events").get()?.["count"]);
  } finally {
    database.close();
  }
}

async function historyOf(home: Home): Promise<readonly ShownEvent[]> {
  const { url, hooks_ingest_token } = discoveryOf(home);
  const response = await fetch(`${url}/api/history`, { headers: { authorization: `Bearer ${hooks_ingest_token}` } });
  return ((await response.json()) as { events: [] }).events;
}

test("of two dashboards the newer is found, and the older leaves its file alone", async (t) => {
  const home = new Home(t);
  const older = await start(t, home);
  const newer = await start(t, home);
  assert.equal(discoveryOf(home).pid, newer.pid);
  older.kill("SIGTERM");
  assert.equal((await older.ended).code, 0);
  assert.equal(discoveryOf(home).pid, newer.pid);
  assert.equal(await send(home, "agent:start"), 200);
  newer.kill("SIGTERM");
  assert.equal((await newer.ended).code, 0);
  assert.ok(!home.has("dashboard.json"));
});

/** A folder with an opener that writes its arguments, a line each, and its environment into files. */
function fakeOpener(t: TestContext) {
  const bin = mkdtempSync(join(tmpdir(), "hermes-opener-"));
  t.after(() => rmSync(bin, { recursive: true, force: true }));
  const script = `#!/bin/sh\nenv > '${bin}/environment'\nprintf '%s\\n' "$@" > '${bin}/opened.part'\nmv '${bin}/opened.part' '${bin}/opened'\n`;
  for (const name of ["xdg-open", "open"]) writeFileSync(join(bin, name), script, { mode: 0o755 });
  return {
    env: { PATH: `${bin}:${process.env["PATH"]}`, SOME_API_KEY: "opener-must-not-see-this" },
    environment: () => readFileSync(join(bin, "environment"), "utf8"),
    opened: async () => {
      await until(() => existsSync(join(bin, "opened")), "the opener has run");
      return readFileSync(join(bin, "opened"), "utf8").trim();
    },
  };
}

test("--open opens a private page that leads to a separate sign-in link", async (t) => {
  const home = new Home(t);
  const opener = fakeOpener(t);
  const dashboard = await start(t, home, ["--open"], { env: opener.env });
  const opened = await opener.opened();
  assert.match(opened, /^file:\/\/\/.*\/run\/sign-in-[\da-f]{16}\.html$/);
  assert.ok(!opener.environment().includes("opener-must-not-see-this"));
  const file = fileURLToPath(opened);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const [, link = ""] = /url=([^"]+)"/.exec(readFileSync(file, "utf8")) ?? [];
  assert.ok(link.startsWith(`${dashboard.url}/#code=`));
  assert.notEqual(link, dashboard.link);

  const { page } = await openTab(await startBrowser(t));
  await page.goto(opened);
  await page.waitForURL(`${dashboard.url}/`);
  await page.getByText("Live feed").first().waitFor();
  assert.ok(!existsSync(file), "the page is removed when it was used");
  assert.equal((await signIn(link)).status, 401);
  assert.equal((await signIn(dashboard.link)).status, 204);
});

test("--link --open works on the running dashboard; an unused page goes with it", async (t) => {
  const home = new Home(t);
  const opener = fakeOpener(t);
  const dashboard = await start(t, home);
  assert.equal((await home.run(["dashboard", "--link", "--open"], { env: opener.env })).code, 0);
  const file = fileURLToPath(await opener.opened());
  assert.ok(existsSync(file));
  dashboard.kill("SIGTERM");
  await dashboard.ended;
  assert.ok(!existsSync(file));
});

test("an opener that is missing or fails is a note", async (t) => {
  const home = new Home(t);
  const empty = mkdtempSync(join(tmpdir(), "hermes-opener-"));
  t.after(() => rmSync(empty, { recursive: true, force: true }));
  const env = { PATH: empty };
  const missing = await start(t, home, ["--open"], { env });
  await missing.sees("The browser was not opened");
  assert.match(missing.stderr(), /is not installed/);
  for (const name of ["xdg-open", "open"]) writeFileSync(join(empty, name), "#!/bin/sh\nexit 3\n", { mode: 0o755 });
  const failing = await start(t, home, ["--open"], { env });
  await failing.sees("exited with 3");
  assert.equal(await send(home, "agent:start"), 200);
});

test("a database of a newer hermes stops the start", async (t) => {
  const home = new Home(t);
  const database = new DatabaseSync(join(home.path, "state.db"));
  database.exec("PRAGMA user_version = 9999");
  database.close();
  const { code, stderr } = await home.run(["dashboard", "--port", "0"]);
  assert.equal(code, 1);
  assert.match(stderr, /newer hermes/);
  assert.ok(!home.has("dashboard.json"));
});

test("a database that cannot be used is one warning", async (t) => {
  const home = new Home(t);
  home.write("state.db/file", "a folder is no database");
  const dashboard = await start(t, home);
  await dashboard.sees("warning: Events are kept in memory only");
  assert.equal(await send(home, "agent:start", { n: 1 }), 200);
  assert.equal((await historyOf(home)).length, 1);
  assert.equal(dashboard.stderr().match(/warning:/g)?.length, 1);
});
