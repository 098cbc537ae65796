/** What docs/postgresql.md shows, as it stands there, on a real server. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { PostgresServer } from "../helpers/postgres.ts";

const PAGE = "docs/postgresql.md";
const sh = examplesOf(PAGE, "sh");
const yaml = examplesOf(PAGE, "yaml");
const sql = examplesOf(PAGE, "sql");

test("the database is created, named, used by two homes, and dumped", async (t) => {
  assert.deepEqual([...sh.keys()], ["postgresql-try", "postgresql-backup"]);
  assert.deepEqual([countBlocks(PAGE, "sh"), countBlocks(PAGE, "yaml"), countBlocks(PAGE, "sql")], [2, 1, 1]);
  const server = await PostgresServer.start();
  t.after(() => server[Symbol.asyncDispose]());
  for (const line of sql.get("postgresql-database")!.trim().split("\n")) await server.query(line);
  await server.demandPassword();
  const config = yaml.get("postgresql-config")!.replace("db.example.com:5432", `127.0.0.1:${server.port}`);
  const env = { AGENTS_PASSWORD: "change-me", OPENAI_API_KEY: "" };
  const [first, second] = [new Newcomer(t), new Newcomer(t)];
  for (const { home } of [first, second]) {
    mkdirSync(join(home, ".hermes"), { mode: 0o700 });
    writeFileSync(join(home, ".hermes/config.yaml"), `${config}model: { provider: offline }\n`);
  }
  const tried = await first.run(sh.get("postgresql-try")!, { env });
  assert.equal(tried.code, 0, tried.stderr);
  const seen = await second.run("hermes tasks list; hermes schedule list", { env });
  assert.equal(seen.code, 0, seen.stderr);
  assert.match(seen.stdout, /say hello[^]*ci-watcher +in 10m/, seen.stderr);
  const database = `postgres://agents:change-me@127.0.0.1:${server.port}/agents`;
  const dumped = await first.run(sh.get("postgresql-backup")!, { env: { DATABASE: database } });
  assert.equal(dumped.code, 0, dumped.stderr);
  const dump = readFileSync(join(first.home, "hermes.sql"), "utf8");
  assert.match(dump, /CREATE TABLE hermes\.tasks[^]*CREATE TABLE hermes_queue\./);
  const examined = await second.run("hermes hooks doctor", { env });
  assert.equal(examined.code, 0, examined.stdout);
  assert.match(examined.stdout, /PostgreSQL at 127\.0\.0\.1:\d+\/agents: version 1\d[^]*connected as agents/);
  const unset = await first.run("hermes tasks list", { env: { AGENTS_PASSWORD: "" } });
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /AGENTS_PASSWORD/);
});
