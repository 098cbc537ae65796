/** Python plugins in the bridge: one Python process for all assertions that leave it alive. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openPython, pythonPlugins } from "#cli/python";
import { parseConfig } from "#core/home/config";
import type { Log } from "#core/home/log";
import { makeHost, makePlugins, type BenchOptions, type PluginBench } from "../../helpers/plugins.ts";
import { until } from "../../helpers/poll.ts";

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

/** A bench with a plugin for each text, all enabled, named by its key; other files are `<plugin>/<file>`. */
async function load(
  t: TestContext,
  plugins: Readonly<Record<string, string>>,
  { files = {}, ...options }: BenchOptions & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<PluginBench> {
  const config = await parseConfig("", "config.yaml", {});
  const python = openPython({ config: () => config, home: "/nowhere", env: process.env, log: SILENT });
  const names = Object.keys(plugins);
  const written = Object.entries(plugins).flatMap(([name, code]) => [
    [`${name}/plugin.yaml`, `name: ${name}\nversion: 1.2.0\n`],
    [`${name}/__init__.py`, code],
  ]);
  const folder = makePlugins(t, [], { ...Object.fromEntries(written), ...files });
  const bench = await makeHost(t, folder, names, { loadCode: pythonPlugins(python), ...options });
  t.after(() => python[Symbol.asyncDispose]());
  await bench.host.load(bench.config);
  return bench;
}

const EVERYTHING = `
import asyncio, json, logging
from collections import Counter
from .words import NO

logger = logging.getLogger(__name__)
_counts = Counter()


class Guard:
    def check(self, tool_name, args):
        _counts[tool_name] += 1
        if "rm" in args.get("command", ""):
            return {"action": "block", "message": f"{NO} {_counts[tool_name]}"}


def audit(tool_name, args, task_id, **kwargs):
    logger.info("TOOL_CALL session=%s tool=%s args=%s", task_id, tool_name, json.dumps(args))
    return _counts  # Not JSON; nobody asks for an observer's answer.


async def recall(session_id, user_message, **kwargs):
    await asyncio.sleep(0)
    return {"context": f"{sorted(kwargs)[0]} {user_message}"}


def weather(args, **kwargs):
    return json.dumps({"city": args["city"], "session": kwargs["session_id"], "task": kwargs["task_id"]})


async def slow(args):
    await asyncio.sleep(0)
    return {"slow": args}


def register(ctx):
    logger.info("registering %s %s", ctx.name, ctx.manifest.version)
    ctx.register_hook("pre_tool_call", Guard().check)
    ctx.register_hook("post_tool_call", audit)
    ctx.register_hook("pre_llm_call", recall)
    ctx.register_hook("on_stream_start", audit)
    ctx.register_hook("pre_llm_cal", audit)
    city = {"type": "object", "properties": {"city": {"type": "string"}}}
    ctx.register_tool(
        name="weather",
        toolset="web",
        schema={"name": "weather", "description": "The weather", "parameters": city},
        handler=weather,
    )
    ctx.register_tool("slow", "web", {"type": "object", "properties": {}}, slow, is_async=True)
    ctx.register_tool("off", "web", {}, weather, check_fn=lambda: False)
    ctx.register_tool("unset", "web", {}, weather, requires_env=["HERMES_TEST_UNSET_VARIABLE"])
    ctx.register_command("hello", lambda raw: f"hello {raw} {ctx.settings['level']} {ctx.get_config('a.b')}", description="Says hello")
    ctx.register_skill("a", "b")
    ctx.register_skill("c", "d")
    ctx.logger.info("ready")
`;

const call = { tool_call_id: "c1", session_id: "s1", cwd: "/", depth: 0, signal: AbortSignal.timeout(60_000) };

test("hooks, tools, commands, settings and logging of an unchanged plugin", async (t) => {
  const bench = await load(
    t,
    { guard: EVERYTHING },
    { files: { "guard/words.py": 'NO = "no rm"\n' }, entries: { guard: { settings: { level: "high", a: { b: 7 } } } } },
  );
  const { host, warnings, lines } = bench;
  assert.deepEqual(warnings, [
    'plugin "guard": there is no hook event "on_stream_start"; nothing was registered.',
    'plugin "guard": there is no hook event "pre_llm_cal"; nothing was registered. Did you mean "pre_llm_call"?',
    'plugin "guard": ctx.register_skill of Hermes Agent is not supported, so what it registers is not there.',
  ]);
  const [listing] = host.list();
  assert.deepEqual(listing?.hooks, ["pre_tool_call", "post_tool_call", "pre_llm_call"]);
  assert.deepEqual(listing?.tools, ["weather", "slow"]);
  const verdict = (await bench.fire("pre_tool_call", { tool_name: "terminal", args: { command: "rm x" } })) as object;
  assert.match(JSON.stringify(verdict), /"no rm 1"/);
  await bench.fire("post_tool_call", { tool_name: "terminal", args: { command: "ls" }, task_id: "t9" });
  const context = await bench.fire("pre_llm_call", { user_message: "hi" });
  assert.match(JSON.stringify(context), /conversation_history hi/);
  assert.deepEqual(
    bench.runs.map(({ source, name, outcome }) => [source, name, outcome]),
    [
      ["python", "guard", "block"],
      ["python", "guard", "pass"],
      ["python", "guard", "context"],
    ],
  );
  for (const line of [
    "info guard: registering guard 1.2.0",
    "info guard: ready",
    'info guard: TOOL_CALL session=t9 tool=terminal args={"command": "ls"}',
    "warn guard: the tool unset is not offered: HERMES_TEST_UNSET_VARIABLE is not set",
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
  }
  const [weather, slow] = host.tools();
  assert.equal(weather?.description, "The weather");
  assert.deepEqual(await weather?.execute({ city: "Rome" }, call), { city: "Rome", session: "s1", task: "s1" });
  assert.deepEqual(await slow?.execute({ n: 1 }, call), { slow: { n: 1 } });
  const [hello] = host.commands();
  assert.equal(await hello?.run("you"), "hello you high 7");
});

const LIVE = `
import asyncio

def route(event, gateway, session_store, **kwargs):
    src = event.source
    if src.chat_type == "dm" and event.text == "owner":
        adapter = gateway.adapters[src.platform]
        adapter.send("7", "not awaited")
        session_store.append_to_transcript(kwargs["session_id"], {"role": "user", "content": event.text})
        return {"action": "skip", "reason": f"{src.platform.value} {sorted(gateway.adapters)}"}

async def reply(event, gateway, **kwargs):
    if event.text == "owner":
        task = asyncio.create_task(gateway.adapters["telegram"].send(event.source.chat_id, content="awaited"))
        result = await task
        failed = await gateway.adapters["telegram"].send("nobody", "x")
        print(result.success, result.message_id, failed.success, failed.error)

def register(ctx):
    ctx.register_hook("pre_gateway_dispatch", reply)
    ctx.register_hook("pre_gateway_dispatch", route)
`;

test("the live gateway and session store of pre_gateway_dispatch", async (t) => {
  const { lines, fire } = await load(t, { live: LIVE });
  const sent: string[] = [];
  const gateway = {
    adapters: {
      telegram: {
        async send(chat: string, text: string) {
          if (chat === "nobody") throw new Error("chat not found");
          sent.push(`${chat}: ${text}`);
          return { message_id: 42 };
        },
      },
    },
  };
  const session_store = {
    append_to_transcript: (id: string, { content }: { content: string }) => void sent.push(`${id} + ${content}`),
  };
  const source = { platform: "telegram", chat_type: "dm", chat_id: "5", user_id: "1", thread_id: null };
  const event = { text: "owner", source, message_id: "1", internal: false };
  const answer = await fire("pre_gateway_dispatch", { session_id: "s5", event, gateway, session_store });
  assert.match(JSON.stringify(answer), /telegram \['telegram'\]/);
  await until(() => sent.length === 3, "three messages");
  assert.deepEqual(sent.toSorted(), ["5: awaited", "7: not awaited", "s5 + owner"]);
  await until(() => lines.includes("info live: True 42 False chat not found"), "the results are printed");
});

const BROKEN: Readonly<Record<string, readonly [code: string, problem: RegExp]>> = {
  syntax: ["def register(ctx:\n", /SyntaxError: .*__init__\.py:1/],
  empty: ["x = 1\n", /does not define a function "register"/],
  missing: ["import no_such_package\n", /No module named 'no_such_package'.*-m pip install no_such_package/],
  raises: ["def register(ctx):\n    raise ValueError('not today')\n", /ValueError: not today \(__init__\.py:2\)/],
  internals: ["def register(ctx):\n    ctx.dispatch_tool('a', {})\n", /ctx\.dispatch_tool is not supported/],
  wrong: ["def register(ctx):\n    ctx.register_hook('pre_tool_call', None)\n", /NoneType, not a function/],
};

test("a plugin that does not load is told, with the place, and the others run", async (t) => {
  const codes = Object.fromEntries(Object.entries(BROKEN).map(([name, [code]]) => [name, code]));
  const fine =
    "def register(ctx):\n    ctx.register_hook('pre_tool_call', lambda **k: {'action': 'block', 'message': 'x'})\n";
  const { host, fire } = await load(t, { ...codes, fine });
  const listed = new Map(host.list().map((plugin) => [plugin.name, plugin]));
  for (const [name, [, problem]] of Object.entries(BROKEN)) {
    assert.equal(listed.get(name)?.state, "error", name);
    assert.match(listed.get(name)?.error ?? "", problem);
  }
  assert.match(JSON.stringify(await fire("pre_tool_call")), /"x"/);
});

const FAULTY = `
import os, sys, time

def fault(tool_name, args, **kwargs):
    kind = args["kind"]
    if kind == "raise":
        raise RuntimeError("broken")
    if kind == "exit":
        sys.exit(3)
    if kind == "die":
        os._exit(4)
    if kind == "hang":
        time.sleep(60)
    if kind == "bytes":
        return b"bytes"
    return {"action": "block", "message": f"fine {len(sys.modules) > 0}"}

def register(ctx):
    ctx.register_hook("pre_tool_call", fault)
`;

test("a callback that fails, dies or hangs is one failed run; the plugin is there for the next", async (t) => {
  const { runs, fire } = await load(t, { faulty: FAULTY }, { callback_timeout_seconds: 3 });
  const expected: readonly (readonly [kind: string, outcome: string, detail: RegExp])[] = [
    ["raise", "error", /RuntimeError: broken \(__init__\.py:7\)/],
    ["exit", "error", /sys\.exit was called \(3\)/],
    ["bytes", "error", /JSON cannot represent/],
    ["die", "error", /exited with code 4/],
    ["none", "block", /fine True/],
    ["hang", "timeout", /3 s/],
    ["none", "block", /fine True/],
  ];
  for (const [kind, outcome, detail] of expected) {
    await fire("pre_tool_call", { args: { kind } });
    const run = runs.at(-1);
    assert.equal(run?.outcome, outcome, `${kind}: ${run?.detail}`);
    assert.match(run?.detail ?? "", detail, kind);
  }
});

test("a reload takes the edited version, and keeps the last good one", async (t) => {
  const version = (word: string) =>
    `def register(ctx):\n    ctx.register_hook("pre_tool_call", lambda **k: {"action": "block", "message": "${word}"})\n`;
  const { host, config, folder, fire } = await load(t, { edited: version("one") });
  const message = async () => JSON.stringify(await fire("pre_tool_call"));
  assert.match(await message(), /"one"/);
  writeFileSync(join(folder, "edited/__init__.py"), "def register(ctx:\n");
  (await host.stage(config))?.swap();
  assert.match(await message(), /"one"/);
  writeFileSync(join(folder, "edited/__init__.py"), version("two and longer"));
  (await host.stage(config))?.swap();
  assert.match(await message(), /"two and longer"/);
});
