import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";

const skip = noPty;

async function idsOf(home: Home): Promise<string[]> {
  const { stdout } = await runInProcess(home, ["sessions", "list", "--json"]);
  return (JSON.parse(stdout) as { sessions: { id: string }[] }).sessions.map(({ id }) => id);
}

test("delete without a terminal needs --yes, and names what it deletes", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "remember the number 7"]);
  const [id = ""] = await idsOf(home);
  const refused = await runInProcess(home, ["sessions", "delete", id.slice(0, 6)]);
  assert.equal(refused.code, 2);
  assert.equal(
    refused.stderr.replace(/used .*? ago/, "used just now"),
    `hermes: Add --yes to delete ${id} "remember the number 7", 2 messages, used just now: there is no terminal to ask on.\n`,
  );
  assert.deepEqual(await idsOf(home), [id]);
  const deleted = await runInProcess(home, ["sessions", "delete", id.slice(0, 6), "--yes"]);
  assert.equal(deleted.code, 0);
  assert.match(deleted.stdout, new RegExp(`^Deleted ${id} "remember the number 7", 2 messages, used .*\\.\n$`));
  assert.deepEqual(await idsOf(home), []);
  assert.equal((await runInProcess(home, ["sessions", "delete", "latest", "--yes"])).code, 3);
});

test("delete asks on a terminal, and keeps the session unless the answer is yes", { skip }, async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "remember the number 7"]);
  const [id = ""] = await idsOf(home);
  for (const [answer, code] of [
    ["", 1],
    ["y", 0],
  ] as const) {
    const pty = home.terminal(["sessions", "delete", "latest"]);
    t.after(() => pty.kill());
    await pty.see(`Delete ${id} "remember the number 7", 2 messages`);
    pty.type(`${answer}\r`);
    assert.equal(await pty.exited, code);
    assert.deepEqual(await idsOf(home), code === 0 ? [] : [id]);
  }
});

test("search prints the session, its age, where the text is, and the text around it", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "remember the number 7"]);
  await home.run(["chat", "-q", "something else"]);
  const [, id = ""] = await idsOf(home);
  const found = await runInProcess(home, ["sessions", "search", "NUMBER remember"]);
  assert.match(found.stdout, /^SESSION +TIME +IN +TITLE +TEXT\n/);
  assert.match(found.stdout, new RegExp(`\n${id} +\\S+Z +assistant +remember the number 7 +remember the number 7`));
  const { hits } = JSON.parse((await runInProcess(home, ["sessions", "search", "number", "--json"])).stdout) as {
    hits: object[];
  };
  assert.deepEqual(
    hits.map((hit) => ({ ...hit, at: "", snippet: "" })),
    [
      {
        session_id: id,
        title: "remember the number 7",
        platform: "cli",
        role: "assistant",
        at: "",
        snippet: "",
        matches: 2,
      },
    ],
  );
  assert.equal((await runInProcess(home, ["sessions", "search", "absent"])).stdout, 'No session has "absent".\n');
  assert.equal((await runInProcess(home, ["sessions", "search", " "])).code, 2);
});

test("export --format markdown has the title, the messages, and calls whose fences hold", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", `@terminal {"command":"echo '\`\`\`\`'"}`]);
  const { stdout } = await runInProcess(home, ["sessions", "export", "latest", "--format", "markdown"]);
  assert.match(stdout, /^# @terminal \{.*\}\n\n- Session: `\w+`\n- Created: /);
  assert.match(stdout, /\n## User\n\n@terminal/);
  assert.match(stdout, /\n## Assistant\n\nCall of `terminal`:\n\n`{5}json\n\{"command":"echo '````'"\}\n`{5}\n/);
  assert.match(stdout, /\n## Result\n\n`{5}json\n\{.*````.*\}\n`{5}\n/);
  assert.equal((await runInProcess(home, ["sessions", "export", "latest", "--format", "pdf"])).code, 2);
});

test("a conversation without a message leaves no session", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "!echo hello"]);
  await home.run(["chat", "-q", "/new"]);
  assert.deepEqual(await idsOf(home), []);
});

test("-r without an id lists the sessions where nobody can choose, and ends with 2", async (t) => {
  const home = new Home(t);
  assert.equal((await home.run(["chat", "-r", "-q", "x"])).code, 3);
  await home.run(["chat", "-q", "remember the number 7"]);
  const [id = ""] = await idsOf(home);
  const { code, stdout, stderr } = await home.run(["chat", "-r", "-q", "x"]);
  assert.equal(code, 2);
  assert.match(stdout, new RegExp(`^ 1 +${id} +\\w+ +2 messages +remember the number 7\n$`));
  assert.equal(stderr, "hermes: Name the session to continue: hermes chat -r ID\n");
  const withoutAge = (list: string) => list.replace(/(?<=_\w+ +)\w+/, "");
  assert.equal(withoutAge((await home.run(["chat", "-q", "/resume"])).stdout), withoutAge(stdout));
});

test("a conversation says what it resumes and how to continue it; without an id one chooses", { skip }, async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "remember the number 7"]);
  await home.run(["chat", "-q", "second"]);
  const [second = "", first = ""] = await idsOf(home);
  const pty = home.terminal(["-r"]);
  t.after(() => pty.kill());
  await pty.see(first);
  await pty.see("Number or id of the session (Enter for none)");
  pty.type("2\r");
  await pty.see(`Resumed ${first} "remember the number 7", 2 messages`);
  await pty.see("› remember the number 7");
  await pty.see("remember the number 7");
  await pty.see("Type /help for commands");
  await pty.see("› ");
  pty.type("/resume\r");
  await pty.see("Number or id of the session (Enter for none)");
  pty.type(`${second.slice(0, 6)}\r`);
  await pty.see(`Resumed ${second} "second", 2 messages`);
  pty.type("\u0004");
  await pty.see(`hermes chat -r ${second}`);
  assert.equal(await pty.exited, 0);
});

test("-c continues the latest session of the folder, and says which one is newer elsewhere", { skip }, async (t) => {
  const home = new Home(t);
  const other = join(home.work, "other");
  mkdirSync(other);
  await home.run(["chat", "-q", "remember the number 7"]);
  const [first = ""] = await idsOf(home);
  const elsewhere = home.terminal(["-c"], {}, { cwd: other });
  t.after(() => elsewhere.kill());
  await elsewhere.see(`Resumed ${first}`);
  await elsewhere.see("No session was started in this folder; this one was started in");
  // Before the prompt, Ctrl+D would be the terminal's own.
  await elsewhere.see("Type /help for commands");
  await elsewhere.see("› ");
  elsewhere.type("\u0004");
  assert.equal(await elsewhere.exited, 0);
  await home.run(["chat", "-q", "second"], { cwd: other });
  const [second = ""] = await idsOf(home);
  const pty = home.terminal(["-c"]);
  t.after(() => pty.kill());
  await pty.see(`Resumed ${first} "remember the number 7", 2 messages`);
  await pty.see(`The latest session, ${second} "second", was started in`);
  await pty.see("Type /help for commands");
  await pty.see("› ");
  pty.type(`/resume ${second}\r`);
  await pty.see(`Resumed ${second}`);
  pty.type("\u0004");
  await pty.see(`Continue this session with: hermes chat -r ${second}`);
  assert.equal(await pty.exited, 0);
  const { stdout } = await home.run(["chat", "-c", "-q", "/status"], { cwd: other });
  assert.ok(stdout.includes(second), stdout);
});

test("/compact, /cost and /status tell what a session takes, and the next turn begins with the summary", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline, context_length: 50000 }\n");
  const ask = (...words: string[]) => home.run(["chat", "-q", ...words]);
  await ask("remember one");
  for (const word of ["two", "three"]) await ask(`remember ${word}`, "-c");
  assert.match((await ask("/cost", "-c")).stdout, /^1\. turn, offline: [\d,]+ in, \d+ out\n2\. .*\n3\. .*\ntotal: /);
  assert.match((await ask("/status", "-c")).stdout, /^context +[\d.]+k? of 50k tokens \(\d+%\)$/m);
  const compacted = await ask("/compact", "-c", "--output-format", "stream-json");
  const frames = compacted.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const frame = frames.find(({ type }) => type === "compacted");
  assert.deepEqual([frame?.["summarized"], frame?.["kept"]], [2, 4]);
  assert.equal(
    (await ask("/compact", "-c")).stdout,
    "There is nothing to summarize yet: the last exchanges stay as they are.\n",
  );
  await ask("and now?", "-c");
  assert.match(
    (await runInProcess(home, ["sessions", "show", "latest"])).stdout,
    /system:\nSummary of the earlier conversation:/,
  );
});
