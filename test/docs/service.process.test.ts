/** What docs/service.md shows, as it stands there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { parse, stringify } from "yaml";
import { countBlocks, examplesOf, readPage } from "../helpers/examples.ts";
import { Home } from "../helpers/hermes.ts";

const PAGE = "docs/service.md";
const sh = examplesOf(PAGE, "sh");
const yaml = examplesOf(PAGE, "yaml");
const ini = examplesOf(PAGE, "ini");

test("every block of the page is an example that is tried here, or needs root", () => {
  assert.deepEqual(
    [...yaml.keys(), ...sh.keys(), ...ini.keys()],
    ["service-config", "service-run", "service-small-unit"],
  );
  assert.equal(countBlocks(PAGE, "yaml"), 1);
  const rest = readPage(PAGE)
    .match(/^```sh\n[^]*?^```$/gm)!
    .slice(1);
  for (const block of rest) assert.match(block, /sudo|journalctl/);
});

test("the service starts with the configuration of the page, on other ports", async (t) => {
  const home = new Home(t);
  const config = parse(yaml.get("service-config")!) as {
    gateway: { platforms: { api_server: object } };
    dashboard: object;
    background: object;
  };
  Object.assign(config.gateway.platforms.api_server, { port: 0 });
  Object.assign(config.dashboard, { port: 0 });
  home.write("config.yaml", stringify(config));
  const [, ...words] = sh.get("service-run")!.trim().split(" ");
  const service = home.start(words);
  t.after(() => service.kill("SIGKILL"));
  await service.sees("The service is running, with up to 2 background tasks at a time");
  service.kill("SIGTERM");
  assert.equal((await service.ended).code, 0);
});

test("the small unit is valid, with the path of the program", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-unit-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "hermes.service");
  writeFileSync(file, ini.get("service-small-unit")!.replace("/usr/local/bin/hermes", process.execPath));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});

test("the table explains each line of the printed unit, and no other", async (t) => {
  const home = new Home(t);
  const { stdout } = await home.run(["serve", "--print-unit", "--user", "bot"]);
  const printed = new Set([...stdout.matchAll(/^(\w+)=/gm)].map(([, key]) => key!));
  const table = readPage(PAGE).split("### The unit, line by line")[1]!.split("`systemd-analyze security")[0]!;
  const explained = new Set([...table.matchAll(/`(\w+)=\w*`/g)].map(([, key]) => key!));
  // These depend on where the homes and the program are.
  for (const key of ["BindPaths", "BindReadOnlyPaths", "ReadWritePaths"]) {
    printed.delete(key);
    assert.ok(explained.delete(key), key);
  }
  assert.deepEqual([...explained].toSorted(), [...printed].toSorted());
});
