/** The examples of docs/dashboard.md, run as they stand there, against a dashboard that runs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { parseConfig } from "#core/home/config";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/dashboard.md";
const shell = examplesOf(PAGE, "sh");
const missing = ["jq", "curl"].filter((command) => spawnSync(command, ["--version"]).error !== undefined);
const skip = missing.length > 0 && `there is no ${missing.join(" and no ")} here`;

/** A browser that only takes note of what it was to open. */
const BROWSER = `
mkdir -p ~/desktop
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$1" >> ~/opened\\n' > ~/desktop/xdg-open
chmod +x ~/desktop/xdg-open
cp ~/desktop/xdg-open ~/desktop/open
PATH=~/desktop:$PATH
`;

const WAIT = `
for turn in $(seq 300); do [ -s ~/.hermes/dashboard.json ] && [ -s ~/opened ] && break; sleep 0.1; done
`;

const STOP = `
kill "$server"
wait "$server"
`;

function newcomer(t: TestContext): Newcomer {
  const made = new Newcomer(t);
  mkdirSync(join(made.home, ".hermes"), { mode: 0o700 });
  writeFileSync(join(made.home, ".hermes/config.yaml"), "dashboard: { port: 0 }\nplugins: { enabled: [watcher] }\n");
  return made;
}

/** Starts the dashboard as the page does, runs the named examples, and stops it. */
function withDashboard(user: Newcomer, ...examples: readonly string[]) {
  const start = `${shell.get("dashboard-start")!.trim()} > ~/said & server=$!`;
  return user.run([BROWSER, start, WAIT, ...examples, STOP].join("\n"));
}

test("every block of the page is an example with a name of its own", () => {
  for (const language of ["sh", "yaml", "ts"])
    assert.equal(countBlocks(PAGE, language), examplesOf(PAGE, language).size);
});

test("the dashboard starts, opens a browser, and gives a fresh link", { skip }, async (t) => {
  const user = newcomer(t);
  const { code, stdout, stderr } = await withDashboard(user, shell.get("dashboard-link")!);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]+\n$/);
  assert.match(readFileSync(join(user.home, "opened"), "utf8"), /^file:\/\/\/.*\/run\/sign-in-\w+\.html\n$/);
  assert.match(readFileSync(join(user.home, "said"), "utf8"), /^The dashboard is at http/);
});

test("a script sends, reads and watches; a plugin sees it", { skip }, async (t) => {
  const user = newcomer(t);
  const plugin = join(user.home, ".hermes/plugins/watcher");
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, "plugin.yaml"), "name: watcher\n");
  writeFileSync(join(plugin, "index.ts"), examplesOf(PAGE, "ts").get("dashboard-plugin")!);
  const example = (name: string) => shell.get(`dashboard-${name}`)!;
  const watch = `${example("events").trim()} --max-time 2 || true`;
  const { code, stdout, stderr } = await withDashboard(
    user,
    example("function"),
    example("send"),
    "echo",
    example("batch"),
    "echo",
    example("history"),
    watch,
  );
  assert.equal(code, 0, stderr);
  const [sent, batch, ...rest] = stdout.split("\n");
  assert.equal(sent, '{"ok":true}');
  assert.match(batch!, /^\{"ok":true,"accepted":1,"rejected":\[\{"index":1,"error":".*"\}\]\}$/);
  assert.deepEqual(rest.slice(0, 2), ['["my-script","agent:start"]', '["my-script","agent:end"]']);
  const watched = rest.filter((line) => line.startsWith("data: ")).map((line) => line.slice("data: ".length));
  assert.deepEqual(
    watched.map((line) => (JSON.parse(line) as { event_type: string }).event_type),
    ["agent:start", "agent:end"],
  );
  assert.equal(readFileSync(join(plugin, "seen.log"), "utf8"), "agent:end from my-script\n");
});

test("the configuration is one", async () => {
  const { values, warnings } = await parseConfig(examplesOf(PAGE, "yaml").get("dashboard-config")!, "config.yaml", {});
  assert.deepEqual(values.dashboard, { host: "127.0.0.1", port: 9119, allowed_hosts: ["hermes.example.org"] });
  assert.deepEqual(warnings, []);
});
