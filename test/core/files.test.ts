import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openJsonLines, type LostLines } from "#core/home/jsonl";
import { stringify } from "#core/stringify";
import { until } from "../helpers/poll.ts";
import { openLog } from "#core/home/log";
import { createRedactor } from "#core/home/redact";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("lines are written together, in order, readable only by the owner", (t) => {
  const path = join(folder(t), "logs", "a.jsonl");
  const file = openJsonLines({ path });
  file.append("1");
  file.append("2");
  file.flush();
  file.append("3");
  file.close();
  assert.equal(readFileSync(path, "utf8"), "1\n2\n3\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file from before that others may read is made private", (t) => {
  const path = join(folder(t), "a.jsonl");
  writeFileSync(path, "1\n");
  chmodSync(path, 0o666);
  const file = openJsonLines({ path });
  file.append("2");
  file.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, "utf8"), "1\n2\n");
});

test("a file past its size is rotated, and only so many are kept", (t) => {
  const home = folder(t);
  const path = join(home, "a.jsonl");
  const file = openJsonLines({ path, maxBytes: 10, keep: 2 });
  for (const line of ["first line", "second line", "third line", "fourth line"]) {
    file.append(line);
    file.flush();
  }
  assert.deepEqual(readdirSync(home).toSorted(), ["a.jsonl", "a.jsonl.1", "a.jsonl.2"]);
  assert.equal(readFileSync(path, "utf8"), "fourth line\n");
  assert.equal(readFileSync(`${path}.2`, "utf8"), "second line\n");
});

test("a disk that cannot be written is reported once", (t) => {
  const home = folder(t);
  writeFileSync(join(home, "logs"), "a file where the folder should be");
  const errors: unknown[] = [];
  const file = openJsonLines({ path: join(home, "logs", "a.jsonl"), onError: (error) => errors.push(error) });
  for (let round = 0; round < 3; round++) {
    file.append("x");
    file.flush();
  }
  assert.equal(errors.length, 1);
});

test("after an outage the lines that waited are written, behind the number of those that were lost", async (t) => {
  const home = folder(t);
  const logs = join(home, "logs");
  const path = join(logs, "a.jsonl");
  writeFileSync(logs, "a file where the folder should be");
  const errors: unknown[] = [];
  const file = openJsonLines({ path, delay: 1, retryAfter: 20, onError: (error) => errors.push(error) });
  t.after(() => file.close());
  file.append("0");
  file.flush();
  for (let line = 1; line < 1500; line++) file.append(String(line));
  rmSync(logs);
  await until(() => existsSync(path), "the file is written again");
  const [gap, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const { time, ...rest } = JSON.parse(gap!) as LostLines;
  assert.match(time, /^\d{4}-.*Z$/);
  assert.equal(rest.lost_lines, 500);
  assert.match(rest.problem, /ENOTDIR|EEXIST/);
  assert.deepEqual(
    lines,
    Array.from({ length: 1000 }, (_, line) => String(line)),
  );
  file.append("later");
  file.flush();
  assert.equal(readFileSync(path, "utf8").trimEnd().split("\n").at(-1), "later");
  assert.equal(errors.length, 1);
});

test("characters that end lines for some readers are escaped in a line of JSON", (t) => {
  const path = join(folder(t), "a.jsonl");
  const file = openJsonLines({ path });
  const value = { text: "a\u2028b\u2029c\u0085d" };
  file.append(JSON.stringify(value));
  file.close();
  const text = readFileSync(path, "utf8");
  assert.doesNotMatch(text, /[\u2028\u2029\u0085]/);
  assert.deepEqual(JSON.parse(text), value);
  assert.doesNotMatch(stringify(value), /[\u2028\u2029\u0085]/);
  assert.deepEqual(JSON.parse(stringify(value)), value);
});

test("the log holds what its level lets through, with secrets taken out", async (t) => {
  const path = join(folder(t), "logs", "hermes.log");
  const redact = createRedactor({ MY_API_KEY: "very-secret-value", HOME: "/home/me" });
  const log = openLog({ path, level: "info", redact, onError: (problem) => assert.fail(problem) });
  log.debug("not this");
  log.child({ plugin: "p" }).warn("key very-secret-value", { header: "Authorization: Bearer abcdefgh12345678" });
  await log.close();
  const lines = readFileSync(path, "utf8").trim().split("\n");
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.deepEqual([line["plugin"], line["msg"]], ["p", "key [redacted]"]);
  assert.ok(!lines[0]?.includes("abcdefgh12345678"));
  assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT.*Z$/);
});

test("secrets are recognised by name, by value and by form, other text stays", () => {
  const redact = createRedactor({ A_TOKEN: "tok-12345678", PASSWORD_FILE: "/etc/very/long", PATH: "/usr/bin:/bin" }, [
    "from-config",
  ]);
  const cases: [string, string][] = [
    ["x tok-12345678 y", "x [redacted] y"],
    ["from-config", "[redacted]"],
    ["sk-proj-abcdefghijklmnop1234", "[redacted]"],
    ['{"api_key":"hunter2hunter2"}', '{"api_key":"[redacted]"}'],
    ["/usr/bin:/bin and a monkey, a token ring", "/usr/bin:/bin and a monkey, a token ring"],
  ];
  for (const [text, clean] of cases) assert.equal(redact(text), clean);
});
