import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { readDiscovery } from "#core/forward/discovery";
import { announce, emptyHome } from "../../helpers/fake-dashboard.ts";

const GOOD = { url: "http://127.0.0.1:9119", hooks_ingest_token: "token", pid: 1, started_at: "2026-11-21T09:00:00Z" };

function fixture(t: TestContext) {
  const home = emptyHome(t);
  const file = join(home, "dashboard.json");
  const write = (content: unknown, mode = 0o600) => {
    rmSync(file, { force: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
    chmodSync(file, mode);
  };
  const read = (env: NodeJS.ProcessEnv = {}) => readDiscovery(file, { env });
  return { home, file, write, read };
}

test("a dashboard is found by its address and token; its start makes it another one", (t) => {
  const { home, read } = fixture(t);
  announce(home, { url: "http://127.0.0.1:9119/", started_at: "2026-11-21T09:00:00Z" });
  const first = read();
  assert.equal(first.problem, null);
  assert.equal(first.dashboard?.url, "http://127.0.0.1:9119");
  assert.equal(first.dashboard?.token, "test-token");
  assert.equal(read().dashboard?.identity, first.dashboard?.identity);
  announce(home, { url: "http://127.0.0.1:9119/", started_at: "2026-11-21T10:00:00Z" });
  assert.notEqual(read().dashboard?.identity, first.dashboard?.identity);
});

test("address and token are enough, and keys of a later version do no harm", (t) => {
  const { write, read } = fixture(t);
  write({ url: GOOD.url, hooks_ingest_token: "t", more: [1] });
  assert.equal(read().problem, null);
  assert.equal(read().dashboard?.token, "t");
});

test("without a file or a home there is no dashboard and no problem", (t) => {
  const { home, read } = fixture(t);
  assert.deepEqual(read(), { dashboard: null, problem: null });
  rmSync(home, { recursive: true });
  assert.deepEqual(read(), { dashboard: null, problem: null });
  writeFileSync(home, "a file where the home should be");
  assert.deepEqual(read(), { dashboard: null, problem: null });
  rmSync(home);
});

test("anything but a private file of the user is refused with a message that names it", (t) => {
  const { home, file, write, read } = fixture(t);
  const refused = (pattern: RegExp) => {
    const { dashboard, problem } = read();
    assert.equal(dashboard, null);
    assert.ok(problem?.startsWith(`${file} is ignored: `), problem ?? "no problem");
    assert.match(problem!, pattern);
    rmSync(file, { recursive: true });
  };

  write(GOOD);
  renameSync(file, join(home, "real.json"));
  symlinkSync("real.json", file);
  refused(/is a symbolic link/);
  mkdirSync(file);
  refused(/is a directory/);
  execFileSync("mkfifo", [file]);
  refused(/is not a regular file/);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o666]) {
    write(GOOD, mode);
    refused(new RegExp(`other users have access to it \\(mode 0${mode.toString(8)}\\).*chmod 600`));
  }
  write(`${JSON.stringify(GOOD)}${" ".repeat(70_000)}`);
  refused(/is larger than 64 KiB/);
});

test("a file that belongs to someone else is refused", { skip: process.getuid?.() !== 0 && "needs root" }, (t) => {
  const { file, write, read } = fixture(t);
  write(GOOD);
  chownSync(file, 65_534, 65_534);
  assert.match(read().problem!, /belongs to another user/);
});

test("an invalid or incomplete discovery document is refused", (t) => {
  const { write, read } = fixture(t);
  const cases: [unknown, RegExp][] = [
    ["", /is incomplete or not JSON/],
    [JSON.stringify(GOOD).slice(0, 40), /is incomplete or not JSON/],
    ["\0\u{1F98A} garbage", /is incomplete or not JSON/],
    ["[]", /is not a JSON object/],
    ["null", /is not a JSON object/],
    [{ ...GOOD, url: undefined }, /has no "url"/],
    [{ ...GOOD, url: 9119 }, /has no "url"/],
    [{ ...GOOD, hooks_ingest_token: undefined }, /has no valid "hooks_ingest_token"/],
    [{ ...GOOD, hooks_ingest_token: "" }, /valid "hooks_ingest_token"/],
    [{ ...GOOD, hooks_ingest_token: "a\r\nX-Evil: 1" }, /valid "hooks_ingest_token"/],
    [{ ...GOOD, hooks_ingest_token: "tökén" }, /valid "hooks_ingest_token"/],
    [{ ...GOOD, url: "127.0.0.1:9119" }, /"url" is not a valid dashboard URL/],
    [{ ...GOOD, url: "file:///etc/passwd" }, /"url" is not a valid dashboard URL/],
    [{ ...GOOD, url: "http://me:secret@127.0.0.1:9119" }, /"url" is not a valid dashboard URL/],
  ];
  for (const [content, pattern] of cases) {
    write(content);
    assert.equal(read().dashboard, null);
    assert.match(read().problem!, pattern);
    assert.doesNotMatch(read().problem!, /secret|Evil/);
  }
});

test("addresses of other machines are used only if they are trusted", (t) => {
  const { write, read } = fixture(t);
  for (const host of ["127.0.0.1", "127.8.9.10", "localhost", "[::1]", "2130706433", "LOCALHOST"]) {
    write({ ...GOOD, url: `http://${host}:9119` });
    assert.equal(read().problem, null, host);
  }
  const elsewhere = [
    "192.0.2.7",
    "example.org",
    "127.0.0.1.example.org",
    "0.0.0.0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "127.0.0.1@192.0.2.7",
  ];
  for (const host of elsewhere) {
    write({ ...GOOD, url: `http://${host}:9119` });
    assert.match(
      read().problem!,
      /points to http.*, but only http on a loopback address is trusted\. Set HERMES_DASHBOARD_TRUST_REMOTE=1|not a valid dashboard URL/,
      host,
    );
  }
  write({ ...GOOD, url: "https://127.0.0.1:9119" });
  assert.match(read().problem!, /points to https/);
  write({ ...GOOD, url: "http://192.0.2.7:9119/behind/a/proxy/" });
  for (const value of ["0", "true", ""]) assert.equal(read({ HERMES_DASHBOARD_TRUST_REMOTE: value }).dashboard, null);
  const trusted = read({ HERMES_DASHBOARD_TRUST_REMOTE: "1" });
  assert.equal(trusted.dashboard?.url, "http://192.0.2.7:9119/behind/a/proxy");
});
