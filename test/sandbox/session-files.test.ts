/** The files of sessions: kept up to date, private, and bounded. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { SqliteSessions } from "#agent/sessions";
import { createSessionFiles } from "#sandbox/shell/session-files";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

interface Line {
  readonly type: string;
  readonly version: string;
  readonly uuid: string;
  readonly parentUuid: string | null;
  readonly message: { readonly content: unknown };
}

function createBench(t: TestContext) {
  const folder = join(temporaryFolder(t), "session-files");
  const sessions = new SqliteSessions(openMemoryDatabase(), (error) => assert.ifError(error));
  const warnings: string[] = [];
  const secrets: object[] = [];
  const files = createSessionFiles({
    folder,
    sessions,
    version: () => "1.2.3",
    place: { cwd: "/work", home: "/the/home", env: { PATH: "/bin", HOME: "/home/u" } },
    warn: (sentence) => void warnings.push(sentence),
    keepSecret: (variables) => void secrets.push(variables),
  });
  const create = (parent: string | null = null) => sessions.create({ platform: "cli", source: "chat", parent }).id;
  const contents = (path: string) =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as Line).message.content);
  return { folder, sessions, files, warnings, secrets, create, contents };
}

test("a transcript follows its session: new messages, undone ones, and what others did to the file", (t) => {
  const { sessions, files, create, contents } = createBench(t);
  const id = create();
  const path = files.transcript(id)!;
  assert.deepEqual(contents(path), []);
  sessions.append(id, { role: "user", content: "one" });
  assert.deepEqual(contents(files.transcript(id)!), ["one"]);
  const { ino } = statSync(path);
  sessions.append(id, { role: "assistant", content: "two\u2028lines" });
  assert.equal(files.transcript(id), path);
  assert.deepEqual(contents(path), ["one", [{ type: "text", text: "two\u2028lines" }]]);
  assert.ok(!readFileSync(path, "utf8").includes("\u2028"));
  // A message more is a line more, not another file.
  assert.equal(statSync(path).ino, ino);
  sessions.undo(id);
  sessions.append(id, { role: "user", content: "three" });
  assert.deepEqual(contents(files.transcript(id)!), ["three"]);
  appendFileSync(path, "{}\n");
  assert.deepEqual(contents(files.transcript(id)!), ["three"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("calls and results have Claude Code's names and shapes", (t) => {
  const { sessions, files, create } = createBench(t);
  const id = create();
  const call = { name: "read_file", arguments: '{"path":"a.txt"}' };
  sessions.append(id, {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", type: "function", function: call }],
  });
  sessions.append(id, { role: "tool", tool_call_id: "c1", content: '{"error":"no"}' });
  const lines = readFileSync(files.transcript(id)!, "utf8").trim().split("\n");
  const [asked, result] = lines.map((line) => JSON.parse(line) as Line);
  assert.deepEqual(asked?.message.content, [
    { type: "tool_use", id: "c1", name: "Read", input: { file_path: "/work/a.txt" } },
  ]);
  assert.deepEqual(result?.message.content, [
    { type: "tool_result", tool_use_id: "c1", content: '{"error":"no"}', is_error: true },
  ]);
  assert.deepEqual([result?.type, result?.version, result?.parentUuid], ["user", "1.2.3", asked?.uuid]);
});

test("a session without a safe name, and a folder that cannot be made, have no files", (t) => {
  const { folder, files, warnings, create } = createBench(t);
  for (const id of ["", "..", "a/b", "../x"]) {
    assert.equal(files.transcript(id), null);
    assert.equal(files.environmentFile(id, "0"), null);
    assert.deepEqual(files.environment(id), {});
  }
  writeFileSync(folder, "");
  const id = create();
  for (let time = 0; time < 2; time++) {
    assert.equal(files.transcript(id), null);
    assert.equal(files.environmentFile(id, "0"), null);
  }
  assert.equal(warnings.length, 2, warnings.join("\n"));
});

test("variables are those of every hook, in the order of the entries; a child has its parent's", (t) => {
  const { files, create, secrets } = createBench(t);
  const id = create();
  const child = create(create(id));
  assert.deepEqual(files.environment(child), {});
  for (const [name, text] of [
    ["10", "export LAST=$FIRST-10"],
    ["2", "export FIRST=2 API_KEY=hunter2"],
  ] as const) {
    const file = files.environmentFile(id, name)!;
    assert.equal(statSync(file).mode & 0o777, 0o600);
    appendFileSync(file, text);
  }
  const expected = { FIRST: "2", API_KEY: "hunter2", LAST: "2-10" };
  assert.deepEqual(files.environment(id), expected);
  assert.deepEqual(files.environment(child), expected);
  assert.deepEqual(secrets, [expected]);
});

test("a link and a file that is too large are ignored, and said once", (t) => {
  const { folder, files, warnings, create } = createBench(t);
  const id = create();
  const large = files.environmentFile(id, "0")!;
  writeFileSync(large, `export A=${"x".repeat(70_000)}\n`);
  const other = join(folder, "other");
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, "file"), "export B=1\n");
  symlinkSync(join(other, "file"), join(folder, id, "1.env"));
  for (let time = 0; time < 2; time++) assert.deepEqual(files.environment(id), {});
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /0\.env is ignored: it is larger than/);
  assert.match(warnings[1] ?? "", /1\.env is ignored: it is a symbolic link/);
});
