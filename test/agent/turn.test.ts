import assert from "node:assert/strict";
import test from "node:test";
import * as zod from "zod";
import { declarationOf } from "#core/events";
import type { Tool } from "#core/ports/agent";
import { createBench, ECHO } from "../helpers/agent-bench.ts";

test("a turn's events come in the order of the issue, and start fires on the first turn only", async () => {
  const bench = createBench();
  bench.listen();
  await bench.turn("run `one`");
  const names = () => bench.fired.map(({ event }) => event);
  const request = ["pre_api_request", "post_api_request"];
  const call = ["pre_tool_call", "post_tool_call", "transform_tool_result"];
  const closing = ["transform_llm_output", "post_llm_call", "on_session_end"];
  assert.deepEqual(names(), ["on_session_start", "pre_llm_call", ...request, ...call, ...request, ...closing]);
  bench.fired.length = 0;
  await bench.turn("hello again");
  assert.deepEqual(names(), ["pre_llm_call", ...request, ...closing]);
});

test("every payload of a rich turn fits its schema and carries its own session's id", async () => {
  const bench = createBench();
  bench.listen();
  bench.hook("pre_tool_call", ({ args }) =>
    (args as { command?: string }).command === "blocked" ? { action: "block", message: "no" } : undefined,
  );
  await bench.turn(
    'run `one`\n@terminal {"command":"blocked"}\n@nope {bad\ndelegate "run `two`"\n@delegate_task {"tasks":[{"goal":"a"},{"goal":"b"}]}',
  );
  const { z } = zod;
  for (const { event, payload } of bench.fired) {
    const parsed = z.strictObject((declarationOf(event).payload(z) as zod.ZodObject).shape).safeParse(payload);
    assert.ok(parsed.success, `${event}: ${parsed.success ? "" : parsed.error.message}`);
    assert.notEqual(payload["session_id"], "");
    if ("task_id" in payload) assert.equal(payload["task_id"], payload["session_id"]);
  }
  const seen = new Set(bench.fired.map(({ event }) => event));
  assert.deepEqual(
    ["subagent_start", "subagent_stop", "on_session_finalize", "transform_tool_result"].filter(
      (event) => !seen.has(event as never),
    ),
    [],
  );
  const children = bench.sessions.list({ children: true }).filter(({ parent }) => parent === bench.session.id);
  assert.equal(children.length, 3);
  for (const { id } of children) {
    const own = bench.fired.filter(({ event, payload }) => payload["session_id"] === id && event !== "subagent_stop");
    assert.ok(own.some(({ event }) => event === "on_session_start"));
    assert.ok(own.every(({ payload }) => !("platform" in payload) || payload["platform"] === "subagent"));
  }
});

test("hook context goes to the model only: it is shown by the offline model and never stored", async () => {
  const bench = createBench();
  bench.hook("pre_llm_call", () => ({ context: "run `evil`" }));
  bench.hook("pre_llm_call", () => "SECOND");
  const result = await bench.turn("hello");
  assert.match(result.text ?? "", /^hello\n\nrun `evil`\n\nSECOND/);
  assert.deepEqual(bench.framesOf("tool_use"), []);
  assert.equal(bench.sessions.history(bench.session.id)[0]?.content, "hello");
  const { messages = [] } = bench.sessions.export(bench.session.id) ?? {};
  assert.equal(messages.filter(({ role }) => role === "user").length, 1);
});

test("a block is an error for the model, still fires post_tool_call, and the tool does not run", async () => {
  let ran = 0;
  const bench = createBench({ tools: [{ ...ECHO, execute: async () => void ran++ }] });
  bench.listen();
  bench.hook("pre_tool_call", () => ({ action: "block", message: "not today" }));
  await bench.turn("run `one`");
  assert.equal(ran, 0);
  const [result] = bench.framesOf("tool_result");
  assert.deepEqual([result?.content, result?.success], ['{"error":"not today"}', false]);
  const post = bench.fired.find(({ event }) => event === "post_tool_call");
  assert.equal(post?.payload["result"], '{"error":"not today"}');
});

test("modify changes what the tool and post_tool_call see; tool_use shows what was asked", async () => {
  const bench = createBench();
  bench.listen();
  bench.hook("pre_tool_call", () => ({ action: "modify", args: { command: "two" } }));
  bench.hook("transform_tool_result", () => "CHANGED");
  await bench.turn("run `one`");
  assert.deepEqual(bench.framesOf("tool_use")[0]?.params, { command: "one" });
  assert.equal(bench.framesOf("tool_result")[0]?.content, "CHANGED");
  const post = bench.fired.find(({ event }) => event === "post_tool_call")?.payload;
  assert.deepEqual([post?.["args"], post?.["result"]], [{ command: "two" }, '{"ran":"two"}']);
  assert.equal(bench.sessions.history(bench.session.id)[2]?.content, "CHANGED");
});

test("unknown tools, malformed and unfitting arguments pass the gate and then are errors", async () => {
  const bench = createBench();
  bench.listen();
  await bench.turn('@termnal {"command":"x"}\n@terminal {oops\n@terminal {"command":7}\n@terminal [1]');
  const gated = bench.fired.filter(({ event }) => event === "pre_tool_call").map(({ payload }) => payload["args"]);
  assert.deepEqual(gated, [{ command: "x" }, { _raw: "{oops" }, { command: 7 }, { _raw: "[1]" }]);
  const results = bench.framesOf("tool_use").map(({ tool_id }) => {
    const result = bench.framesOf("tool_result").find((frame) => frame.tool_id === tool_id);
    assert.equal(result?.success, false);
    return result?.content ?? "";
  });
  assert.match(results[0]!, /no tool \\"termnal\\".*Did you mean \\"terminal\\"/);
  assert.match(results[1]!, /not a JSON object/);
  assert.match(results[2]!, /\\"command\\" must be a string/);
  assert.match(results[3]!, /not a JSON object/);
});

test("what a tool throws, cannot be written or is too long becomes a JSON string all the same", async () => {
  const tool = (name: string, execute: Tool["execute"]): Tool => ({ ...ECHO, name, parameters: {}, execute });
  const bench = createBench({
    tools: [
      tool("throws", async () => {
        throw new Error("broken");
      }),
      tool("bigint", async () => 1n),
      tool("nothing", async () => undefined),
      tool("long", async () => "x".repeat(500_000)),
    ],
  });
  await bench.turn("@throws {}\n@bigint {}\n@nothing {}\n@long {}");
  const contentOf = (name: string) => bench.framesOf("tool_result").find((frame) => frame.tool === name);
  assert.deepEqual(JSON.parse(contentOf("throws")!.content), { error: "broken" });
  assert.match(contentOf("bigint")!.content, /^\{"error":/);
  assert.equal(contentOf("nothing")!.content, "null");
  assert.equal(contentOf("nothing")!.success, true);
  const long = JSON.parse(contentOf("long")!.content) as { truncated: boolean; total_characters: number };
  assert.deepEqual([long.truncated, long.total_characters], [true, 500_002]);
});

test("transform_llm_output changes what is shown, stored and passed to post_llm_call; text frames stay the model's", async () => {
  const bench = createBench();
  bench.listen();
  bench.hook("transform_llm_output", ({ response_text }) => String(response_text).toUpperCase());
  const result = await bench.turn("hello");
  const shown = bench.framesOf("assistant")[0]?.content;
  assert.match(shown ?? "", /^HELLO/);
  assert.equal(result.text, shown);
  assert.equal(bench.sessions.history(bench.session.id).at(-1)?.content, shown);
  const post = bench.fired.find(({ event }) => event === "post_llm_call")?.payload;
  assert.equal(post?.["assistant_response"], shown);
  assert.match(
    bench
      .framesOf("text")
      .map(({ delta }) => delta)
      .join(""),
    /^hello/,
  );
});

test("the limit: N requests, one closing request without tools, 53, no post_llm_call", async () => {
  const bench = createBench();
  bench.listen();
  const result = await bench.turn("run `one` run `two` run `three`", { maxIterations: 2 });
  assert.deepEqual([result.completed, result.exit_code], [false, 53]);
  assert.match(result.text ?? "", /terminal returned \{"ran":"one"\}; terminal returned \{"ran":"two"\}/);
  assert.equal(bench.framesOf("assistant").length, 1);
  const requests = bench.fired.filter(({ event }) => event === "pre_api_request").map(({ payload }) => payload);
  assert.deepEqual(
    requests.map(({ api_call_count, tool_count }) => [api_call_count, tool_count]),
    [
      [1, 2],
      [2, 2],
      [3, 0],
    ],
  );
  assert.ok(!bench.fired.some(({ event }) => event === "post_llm_call"));
  assert.ok(bench.fired.some(({ event }) => event === "transform_llm_output"));
  assert.equal(bench.frames.at(-1)?.type, "result");
});

test("calls of one step run side by side, their results are stored in the order of the calls", async () => {
  const both = Promise.withResolvers<void>();
  let started = 0;
  const bench = createBench({
    tools: [
      {
        ...ECHO,
        execute: async ({ command }) => {
          if (++started === 2) both.resolve();
          await both.promise;
          if (command === "one") await new Promise(setImmediate);
          return command;
        },
      },
    ],
  });
  await bench.turn('@terminal {"command":"one"}\n@terminal {"command":"two"}');
  assert.match(bench.framesOf("assistant")[0]?.content ?? "", /terminal returned "one"; terminal returned "two"/);
});

test("an interrupt during a tool: the result follows, nothing more starts, the closing hooks get a fresh signal", async () => {
  const controller = new AbortController();
  const bench = createBench({
    tools: [
      {
        ...ECHO,
        execute: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(new Error("stopped")));
            controller.abort();
          }),
      },
    ],
  });
  bench.listen();
  const closing = Promise.withResolvers<void>();
  bench.hook("on_session_end", async () => {
    await new Promise(setImmediate);
    closing.resolve();
  });
  const result = await bench.turn("run `one` run `two`", { signal: controller.signal });
  await closing.promise;
  assert.deepEqual([result.interrupted, result.completed, result.exit_code], [true, false, 130]);
  assert.deepEqual(
    bench.framesOf("tool_result").map(({ content }) => content),
    ['{"error":"stopped"}'],
  );
  const last = bench.fired.at(-1);
  assert.deepEqual([last?.event, last?.payload["interrupted"]], ["on_session_end", true]);
  assert.ok(!bench.fired.some(({ event }) => event === "post_llm_call"));
  assert.equal(bench.sessions.history(bench.session.id).length, 3);
  assert.deepEqual(bench.framesOf("error"), []);
});

test("a stop while the gate is asked keeps the tool from starting", async () => {
  const controller = new AbortController();
  let ran = 0;
  const bench = createBench({ tools: [{ ...ECHO, execute: async () => void ran++ }] });
  bench.hook("pre_tool_call", () => controller.abort());
  await bench.turn("run `one`", { signal: controller.signal });
  assert.equal(ran, 0);
  assert.match(bench.framesOf("tool_result")[0]?.content ?? "", /interrupted/);
});

test("injected text is taken up before the next request, shown and stored; afterwards nothing is taken", async () => {
  const bench = createBench();
  bench.hook("post_tool_call", () => void bench.runner.inject(bench.session.id, "run `late`", "tester"));
  bench.hook("post_llm_call", () => {
    assert.equal(bench.runner.inject(bench.session.id, "too late", "tester"), false);
  });
  const stop = () => bench.framesOf("tool_use").length;
  await bench.turn("run `one`", { maxIterations: 3 });
  assert.ok(stop() >= 2);
  assert.deepEqual(bench.framesOf("injected")[0], {
    type: "injected",
    session_id: bench.session.id,
    source_kind: "inject",
    source_label: "tester",
    content: "run `late`",
  });
  assert.ok(
    bench.sessions.history(bench.session.id).some(({ role, content }) => role === "user" && content === "run `late`"),
  );
  assert.equal(bench.runner.inject(bench.session.id, "no turn", "tester"), false);
});

test("a second turn in a session with a running one is refused; the first continues", async () => {
  const bench = createBench();
  const first = bench.turn("hello");
  await assert.rejects(bench.turn("me too"), { code: "HERMES_INTERNAL" });
  assert.equal((await first).exit_code, 0);
});

test("registry events tell ctx.on about the conversation, not about child agents", async () => {
  const bench = createBench();
  const seen: [string, Record<string, unknown>][] = [];
  for (const event of ["session:*", "agent:*"])
    bench.registry.register(event, (type, context) => void seen.push([type, context]));
  await bench.turn('delegate "run `x`"');
  assert.deepEqual(
    seen.map(([type]) => type),
    ["session:start", "agent:start", "agent:step", "agent:step", "agent:end"],
  );
  assert.deepEqual(seen[2]?.[1], {
    platform: "cli",
    user_id: "",
    session_id: bench.session.id,
    iteration: 1,
    tool_names: ["delegate_task"],
  });
});

test("a tool that ignores the stop does not hold the turn", async () => {
  const controller = new AbortController();
  const endless: Tool = {
    ...ECHO,
    execute: () => {
      controller.abort();
      return new Promise(() => {});
    },
  };
  const bench = createBench({ tools: [endless], deps: { stopGraceMs: 20 } });
  const result = await bench.turn("run `one`", { signal: controller.signal });
  assert.equal(result.interrupted, true);
  assert.match(bench.framesOf("tool_result")[0]?.content ?? "", /did not stop in time/);
});

test("a tool may change the arguments it was given, although hooks hold them frozen", async () => {
  const bench = createBench({
    tools: [
      {
        ...ECHO,
        execute: async (args) => {
          (args as { list: number[] }).list.push(2);
          return args;
        },
      },
    ],
  });
  bench.hook("pre_tool_call", () => undefined);
  await bench.turn('@terminal {"command":"x","list":[1]}');
  assert.equal(bench.framesOf("tool_result")[0]?.content, '{"command":"x","list":[1,2]}');
});

test("other work goes on during a turn, also with a model that never waits", async () => {
  const bench = createBench();
  let rounds = 0;
  let waiting: NodeJS.Immediate;
  const count = () => {
    rounds++;
    waiting = setImmediate(count);
  };
  count();
  const seen: number[] = [];
  bench.hook("pre_llm_call", () => void seen.push(rounds));
  const before = rounds;
  await bench.turn("a word and another one ".repeat(100));
  clearImmediate(waiting!);
  assert.ok(seen[0]! > before, "between reading the history and the first hook");
  assert.ok(rounds - seen[0]! > bench.framesOf("text").length, "before the answer and between its parts");
});
