/** What `ask` of a hook does in the agent: who is asked, about what, one after another, and what an answer means. */
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ToolRequest, TurnProgress } from "#core/ports/agent";
import type { AskUser, CallQuestion } from "#core/ports/question";
import { createBench, ECHO, type AgentBench } from "../helpers/agent-bench.ts";

const UNASKED =
  "The hook test-pre_tool_call wants your approval for this call, but nobody can be asked here: is it wise?";
const NO_ANSWER = "The hook test-pre_tool_call asked for your approval of this call and got no answer: is it wise?";
const DECLINED = "You declined this call.";
const ASK = { action: "ask", message: "is it wise?" };

interface Asked extends AgentBench {
  readonly questions: CallQuestion[];
  /** Commands that ran. */
  readonly ran: unknown[];
  /** Runs a turn and gives the results of its calls. */
  results(message: string, ask?: AskUser, signal?: AbortSignal): Promise<readonly string[]>;
}

/** Without answers nobody can be asked. */
function bench(...answers: readonly string[]): Asked & { ask: AskUser } {
  const ran: unknown[] = [];
  const questions: CallQuestion[] = [];
  const left = [...answers];
  const other = { ...ECHO, name: "other" };
  const tools = [ECHO, other].map((tool) => ({
    ...tool,
    execute: async (args: Readonly<Record<string, unknown>>) => ran.push(args["command"]),
  }));
  const made = createBench({ tools });
  const ask: AskUser = async (question) => {
    questions.push(question);
    return left.shift() ?? assert.fail("one question too many");
  };
  return Object.assign(made, {
    questions,
    ran,
    ask,
    results: async (message: string, asker?: AskUser, signal = new AbortController().signal) => {
      const from = made.frames.length;
      const { session } = made;
      const onFrame = (frame: (typeof made.frames)[number]) => void made.frames.push(frame);
      await made.runner.turn({ session, message, platform: "cli", signal, onFrame, ask: asker });
      return made.frames.slice(from).flatMap((frame) => (frame.type === "tool_result" ? [errorOf(frame.content)] : []));
    },
  });
}

function errorOf(content: string): string {
  const { error } = JSON.parse(content) as { error?: string };
  return error ?? "";
}

test("the end of a tool that ran has its own time; a declined call has none", async () => {
  const one = bench("y", "n");
  one.hook("pre_tool_call", () => ASK);
  const ended: TurnProgress[] = [];
  let answeredAt = Number.NaN;
  const ask: AskUser = async (question, signal) => {
    await delay(40);
    answeredAt = performance.now();
    return one.ask(question, signal);
  };
  const onProgress = (progress: TurnProgress) => {
    if (progress.kind !== "tool_ended") return;
    // Whatever the machine's pace, the tool cannot have run before the answer.
    assert.ok(progress.duration_ms <= Math.ceil(performance.now() - answeredAt));
    ended.push(progress);
  };
  const { session } = one;
  const { signal } = new AbortController();
  await one.runner.turn({ session, message: "run `a` and run `b`", platform: "cli", signal, onProgress, ask });
  assert.equal(one.questions.length, 2);
  assert.equal(ended.length, 1);
});

test("y runs this call, anything but the keys declines it, and each call is asked about", async () => {
  const one = bench("y", "n", "", "what", "Y");
  one.hook("pre_tool_call", () => ASK);
  for (const expected of ["", DECLINED, DECLINED, DECLINED, DECLINED]) {
    assert.deepEqual(await one.results("run `a`", one.ask), [expected]);
  }
  assert.deepEqual(one.ran, ["a"]);
  const [{ tool, args, agent, reasons, answers }] = one.questions as [CallQuestion];
  assert.deepEqual([tool, args, agent], ["terminal", { command: "a" }, null]);
  assert.deepEqual(reasons, [
    { message: "is it wise?", choices: [], hook: { name: "test-pre_tool_call", command: null } },
  ]);
  assert.deepEqual(
    answers.map(({ key }) => key),
    ["y", "a", "n"],
  );
  const [hook] = one.framesOf("hook");
  assert.deepEqual([hook?.outcome, hook?.detail], ["ask", "is it wise?"]);
});

test("a runs all calls of this tool in this session: not those of another tool, nor of another session", async () => {
  const one = bench("a", "n", "n");
  one.hook("pre_tool_call", () => ASK);
  assert.deepEqual(await one.results("run `a`", one.ask), [""]);
  assert.deepEqual(await one.results("run `b` run `c`", one.ask), ["", ""]);
  assert.deepEqual(await one.results('@other {"command":"d"}', one.ask), [DECLINED]);
  const session = await one.runner.reset({
    session: one.session,
    platform: "cli",
    next: { source: "chat" },
    signal: new AbortController().signal,
  });
  const request: ToolRequest = {
    session,
    platform: "cli",
    signal: new AbortController().signal,
    ask: one.ask,
    tool: "terminal",
    args: { command: "e" },
  };
  assert.equal(errorOf(await one.runner.callTool(request)), DECLINED);
  assert.deepEqual(one.ran, ["a", "b", "c"]);
});

test("the answer that covers a tool ends with its session, also when that is resumed", async () => {
  const one = bench("a", "n");
  one.hook("pre_tool_call", () => ASK);
  await one.results("run `a`", one.ask);
  await one.runner.close({ session: one.session, platform: "cli", signal: new AbortController().signal });
  assert.deepEqual(await one.results("run `b`", one.ask), [DECLINED]);
});

test("where nobody can be asked the call is blocked, and observers learn it", async () => {
  const one = bench();
  one.hook("pre_tool_call", () => ASK);
  one.listen();
  assert.deepEqual(await one.results("run `a`"), [UNASKED]);
  assert.deepEqual(one.ran, []);
  const after = one.fired.find(({ event }) => event === "post_tool_call");
  assert.equal(after?.payload["result"], JSON.stringify({ error: UNASKED }));
});

test("a session that a plugin runs asks nobody", async () => {
  const one = bench();
  one.hook("pre_tool_call", () => ASK);
  const session = one.sessions.create({ platform: "cli", source: "plugin:nightly" });
  await one.turn("run `a`", { session });
  assert.deepEqual(
    one.framesOf("tool_result").map(({ content }) => errorOf(content)),
    [UNASKED],
  );
});

test("a later block wins, without a question; a change by any hook is what the user is asked about", async () => {
  const one = bench("y");
  one.hook("pre_tool_call", () => ({ action: "modify", args: { first: 1 } }));
  one.hook("pre_tool_call", () => ({ ...ASK, args: { second: 2 } }));
  one.hook("pre_tool_call", ({ args }) => {
    assert.deepEqual(args, { command: (args as { command: string }).command, first: 1, second: 2 });
    return (args as { command: string }).command === "bad" ? { action: "block", message: "not that" } : undefined;
  });
  one.hook("pre_tool_call", () => ({ action: "modify", args: { command: "changed" } }));
  one.hook("pre_tool_call", () => ({ action: "ask", message: "and this?" }));
  assert.deepEqual(await one.results("run `bad`", one.ask), ["not that"]);
  assert.equal(one.questions.length, 0);
  assert.deepEqual(await one.results("run `good`", one.ask), [""]);
  assert.deepEqual(one.questions[0]?.args, { command: "changed", first: 1, second: 2 });
  assert.deepEqual(
    one.questions[0]?.reasons.map(({ message }) => message),
    ["is it wise?", "and this?"],
  );
  assert.deepEqual(one.ran, ["changed"]);
});

test("calls of one step are asked about one after another; an answer may cover those that wait", async () => {
  const one = bench();
  one.hook("pre_tool_call", () => ASK);
  let open = 0;
  const asked: unknown[] = [];
  const calls = ["a", "b", "c"].map((command) => `@terminal ${JSON.stringify({ command })}`).join("\n");
  const results = await one.results(calls, async ({ args }) => {
    assert.equal(++open, 1, "one question at a time");
    asked.push(args["command"]);
    await new Promise(setImmediate);
    open--;
    return asked.length === 1 ? "n" : "a";
  });
  assert.deepEqual(asked, ["a", "b"]);
  assert.deepEqual(results.toSorted(), ["", "", DECLINED].toSorted());
  assert.deepEqual(one.ran.map(String).toSorted(), ["b", "c"]);
});

test("a child agent's call is put to the user of the session, whose answer covers the children", async () => {
  const one = bench("y", "a");
  one.hook("pre_tool_call", ({ tool_name }) => (tool_name === "terminal" ? ASK : undefined));
  await one.results('delegate "run `a`"', one.ask);
  assert.equal(one.questions[0]?.agent, "general-purpose");
  await one.results('delegate "run `b`"', one.ask);
  assert.deepEqual(await one.results("run `c`", one.ask), [""]);
  assert.equal(one.questions.length, 2);
  assert.deepEqual(one.ran, ["a", "b", "c"]);
});

test("a question without an answer blocks: the surface failed, or the turn was stopped", async () => {
  const one = bench();
  one.hook("pre_tool_call", () => ASK);
  assert.deepEqual(await one.results("run `a`", () => Promise.reject(new Error("gone"))), [NO_ANSWER]);
  const stop = new AbortController();
  const results = await one.results(
    "run `a`",
    (_, signal) => {
      const { promise, reject } = Promise.withResolvers<string>();
      signal.addEventListener("abort", () => reject(new Error("stopped")));
      stop.abort();
      return promise;
    },
    stop.signal,
  );
  assert.deepEqual(results, [NO_ANSWER]);
  assert.deepEqual(one.ran, []);
});

test("a hook's own choice runs the call and calls the hook; its failure does not stop the call", async () => {
  const chosen: string[] = [];
  const warnings: string[] = [];
  const answers = ["p", "q", "x"];
  const one = createBench({ deps: { log: { debug: () => {}, warn: (sentence) => void warnings.push(sentence) } } });
  const choices = [
    { key: "p", label: "always", on_chosen: async () => void chosen.push("p") },
    { key: "q", label: "fails", on_chosen: () => Promise.reject(new Error("disk full")) },
  ];
  one.hook("pre_tool_call", () => ({ ...ASK, choices }));
  one.hook("pre_tool_call", () => ({ ...ASK, choices: [{ key: "p", label: "another p" }] }));
  const { session, runner } = one;
  const ask: AskUser = async (question) => {
    assert.deepEqual(
      question.answers.map(({ key, kind, label }) => [key, kind, kind === "hook" ? label : ""]),
      [
        ["y", "once", ""],
        ["a", "session", ""],
        ["p", "hook", "always"],
        ["q", "hook", "fails"],
        ["n", "decline", ""],
      ],
    );
    return answers.shift()!;
  };
  const call = async () => {
    const { signal } = new AbortController();
    const request = { session, platform: "cli", signal, ask, tool: "terminal", args: { command: "a" } };
    return errorOf(await runner.callTool(request));
  };
  assert.deepEqual([await call(), await call(), await call()], ["", "", DECLINED]);
  assert.deepEqual(chosen, ["p"]);
  assert.match(warnings.join(), /your choice was not kept by test-pre_tool_call.*: disk full/);
});
