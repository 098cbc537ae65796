/** `protocol: claude` through the whole program: the transcript of a session, and variables for its commands. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures/claude");
const skip = spawnSync("python3", ["--version"]).error !== undefined && "there is no python3 here";

/** A home whose entries run these commands, with everything approved. */
function withHooks(t: TestContext, hooks: Record<string, string>, more = ""): Home {
  const home = new Home(t);
  const entries = Object.entries(hooks).map(
    ([event, command]) => `  ${event}: [{ command: ${JSON.stringify(command)}, protocol: claude }]\n`,
  );
  home.write("config.yaml", `hooks_auto_accept: true\n${more}hooks:\n${entries.join("")}`);
  return home;
}

interface Seen {
  readonly event: string;
  readonly path: string;
  readonly seen: readonly string[];
}

const seenIn = (home: Home) =>
  home
    .read("seen.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Seen);

test(
  "transcript_path is the session so far, at every event, and continues in the next process",
  { skip },
  async (t) => {
    const script = join(fixtures, "reads-transcript.py");
    const home = withHooks(t, { pre_llm_call: script, post_tool_call: script, post_llm_call: script });
    const first = await home.run(["chat", "-q", "run `echo one`", "--output-format", "stream-json"]);
    const { session_id: session } = framesOf(first)[0]!;
    const user = "user: run `echo one`";
    const call = 'assistant: Bash {"command": "echo one"}';
    const [prompt, tool, stop] = seenIn(home);
    assert.deepEqual([prompt?.event, prompt?.seen], ["UserPromptSubmit", [user]]);
    assert.deepEqual([tool?.event, tool?.seen], ["PostToolUse", [user, call]]);
    assert.deepEqual(stop?.seen.slice(0, 3), [user, call, 'user: result {"output":"one\\n","exit_code":0}']);
    assert.match(stop?.seen[3] ?? "", /^assistant: ./);
    const { path } = stop;
    assert.equal(path, join(home.path, "session-files", String(session), `${String(session)}.jsonl`));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);

    await home.run(["chat", "-c", "-q", "two"]);
    const later = seenIn(home).slice(3);
    assert.deepEqual(later[0]?.seen, [...stop.seen, "user: two"]);
    assert.ok(later.every((one) => one.path === path));
    const lines = readFileSync(path, "utf8").trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      entries.map(({ parentUuid }) => parentUuid),
      [null, ...entries.slice(0, -1).map(({ uuid }) => uuid)],
    );
    assert.ok(
      entries.every(({ sessionId, cwd, isSidechain }) => sessionId === session && cwd && isSidechain === false),
    );
  },
);

test("an undone turn is not in the transcript", { skip }, async (t) => {
  const script = join(fixtures, "reads-transcript.py");
  const home = withHooks(t, { pre_llm_call: script });
  await home.run(["chat", "-q", "one"]);
  for (const line of ["two", "/undo", "three"]) await home.run(["chat", "-c", "-q", line]);
  const users = (seen: readonly string[] = []) => seen.filter((each) => each.startsWith("user: "));
  assert.deepEqual(
    seenIn(home).map(({ seen }) => users(seen)),
    [["user: one"], ["user: one", "user: two"], ["user: one", "user: three"]],
  );
});

test("SubagentStop names the child's transcript", { skip }, async (t) => {
  const home = withHooks(t, {
    subagent_stop: `python3 -c 'import json, os, sys; d = json.load(sys.stdin); open(os.environ["HERMES_HOME"] + "/paths", "w").write(d["transcript_path"] + chr(10) + d["agent_transcript_path"])'`,
  });
  await home.run(["chat", "-q", 'delegate "say hi"']);
  const [own, childs] = home.read("paths").split("\n");
  assert.notEqual(own, childs);
  assert.match(readFileSync(own!, "utf8"), /"name":"Task"/);
  const [line] = readFileSync(childs!, "utf8").split("\n");
  assert.deepEqual(JSON.parse(line!).message, { role: "user", content: "say hi" });
  assert.equal(JSON.parse(line!).isSidechain, true);
});

const SHOW = 'printf "%s|" "$NODE_ENV" "$PROJECT_NAME" "${PATH##*:}"; echo';

test("CLAUDE_ENV_FILE: a session's commands have the variables, in later processes and child agents, too", async (t) => {
  const home = withHooks(t, { on_session_start: join(fixtures, "exports-variables.sh") });
  const call = `@terminal ${JSON.stringify({ command: SHOW })}`;
  const outputOf = (frames: Record<string, unknown>[], tool = "terminal") =>
    String(frames.find((frame) => frame["type"] === "tool_result" && frame["tool"] === tool)?.["content"]);
  const first = await home.run(["chat", "-q", call, "--output-format", "stream-json"]);
  const expected = { output: `production|it's "here"|./node_modules/.bin|\n`, exit_code: 0 };
  assert.deepEqual(JSON.parse(outputOf(framesOf(first))), expected);
  const { session_id: session } = framesOf(first)[0]!;
  const file = join(home.path, "session-files", String(session), "0.env");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const again = await home.run(["chat", "-c", "-q", call, "--output-format", "stream-json"]);
  assert.deepEqual(JSON.parse(outputOf(framesOf(again))), expected);
  const child = await home.run([
    "chat",
    "-c",
    "-q",
    `delegate "run \`echo is $NODE_ENV\`"`,
    "--output-format",
    "stream-json",
  ]);
  assert.match(outputOf(framesOf(child)), /is production/);
});

test("CLAUDE_ENV_FILE: what would go around the guards is left out, and said once", async (t) => {
  const home = withHooks(
    t,
    {
      on_session_start: `printf 'export LD_PRELOAD=/tmp/x.so\\nexport A=$(touch ran)\\nexport TRICK=%s\\n' "$HERMES_HOME/config.yaml" >> "$CLAUDE_ENV_FILE"`,
    },
    'sandbox: { tools: "off" }\n',
  );
  const ended = await home.run([
    "chat",
    "-q",
    '@terminal {"command":"echo [$LD_PRELOAD] [$A]"}\n@terminal {"command":"echo x > $TRICK"}',
    "--output-format",
    "stream-json",
  ]);
  const contents = framesOf(ended)
    .filter(({ type }) => type === "tool_result")
    .map(({ content }) => String(content));
  assert.ok(
    contents.some((content) => content.includes("[] []")),
    contents.join(),
  );
  // The guard reads the variable, too.
  assert.ok(
    contents.some((content) => content.includes("off limits")),
    contents.join(),
  );
  assert.equal(ended.stderr.split("LD_PRELOAD is not taken over").length, 2, ended.stderr);
  assert.match(ended.stderr, /"export A": it runs something/);
  assert.ok(!existsSync(join(home.work, "ran")));
});

test("the agent's tools cannot read the files of sessions", { skip }, async (t) => {
  const home = withHooks(t, { pre_tool_call: "cat >/dev/null" });
  const first = framesOf(await home.run(["chat", "-q", "!true", "--output-format", "stream-json"]));
  const id = String(first[0]?.["session_id"]);
  const file = join(home.path, "session-files", id, `${id}.jsonl`);
  assert.ok(existsSync(file));
  const calls = [
    `@read_file ${JSON.stringify({ path: file })}`,
    `@terminal ${JSON.stringify({ command: `cat ${file}` })}`,
    `@search_files ${JSON.stringify({ pattern: "parentUuid", path: dirname(file) })}`,
  ].join("\n");
  const frames = framesOf(await home.run(["chat", "-q", calls, "--output-format", "stream-json"]));
  const contents = frames.filter(({ type }) => type === "tool_result").map(({ content }) => String(content));
  assert.equal(contents.length, 3);
  for (const content of contents) assert.doesNotMatch(content, /userType|isSidechain/);
});

test("files go with their session", { skip }, async (t) => {
  const home = withHooks(t, { pre_llm_call: "cat >/dev/null" });
  const first = framesOf(await home.run(["chat", "-q", "hi", "--output-format", "stream-json"]));
  const id = String(first[0]?.["session_id"]);
  const folder = join(home.path, "session-files", id);
  const stray = join(home.path, "session-files", "gone");
  mkdirSync(stray);
  writeFileSync(join(stray, "gone.jsonl"), "{}\n");
  const longAgo = new Date(Date.now() - 7_200_000);
  utimesSync(stray, longAgo, longAgo);
  utimesSync(folder, longAgo, longAgo);
  await home.run(["chat", "-q", "again"]);
  assert.deepEqual([existsSync(stray), existsSync(folder)], [false, true]);
  await home.run(["sessions", "delete", id, "--yes"]);
  assert.ok(!existsSync(folder), basename(folder));
});

test("nothing is written where no such hook runs", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", 'hooks_auto_accept: true\nhooks: { pre_llm_call: [{ command: "true" }] }\n');
  await home.run(["chat", "-q", "run `true`"]);
  assert.ok(!home.has("session-files"));
});
