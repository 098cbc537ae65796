/** The parts of a test host: a real agent with real hooks, in a temporary home. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createScriptedModel } from "#agent/models/scripted";
import { createAgentRunner } from "#agent/runner";
import { SqliteSessions } from "#agent/sessions";
import { answerOf } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import { EVENTS } from "#core/events";
import type { Frame } from "#core/frames";
import { parseConfig } from "#core/home/config";
import { openMemoryDatabase } from "#core/home/database";
import type { Log } from "#core/home/log";
import { mirrorFrames } from "#core/mirror";
import type { AgentRunner, Session, Tool } from "#core/ports/agent";
import type { CallQuestion } from "#core/ports/question";
import { HookRegistry } from "#core/registry";
import type { ScriptedCall } from "#agent/models/script";
import type { PluginDefinition } from "#plugins/api";
import type { BuiltinPlugin } from "#plugins/builtin";
import { createPluginHost, type PluginHost } from "#plugins/host";
import { listBuiltinTools } from "../builtin-tools.ts";
import { openPython, pythonPlugins } from "../python.ts";
import type { TestHost, TestHostOptions, TestPlugin, TestTurn } from "./types.ts";

export async function openTestHost(options: TestHostOptions): Promise<TestHost> {
  const home = mkdtempSync(join(tmpdir(), "hermes-plugin-test-"));
  const undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(home, { recursive: true, force: true }));
  try {
    const host = await assemble(home, options, undo);
    const disposal = undo.move();
    const close = () => disposal.disposeAsync();
    return { ...host, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

type Assembled = Omit<TestHost, "close" | typeof Symbol.asyncDispose>;

/** What happened so far. */
interface Records {
  readonly frames: Frame[];
  readonly calls: ScriptedCall[];
  readonly questions: CallQuestion[];
  readonly log: string[];
  readonly warnings: string[];
  readonly delivered: string[];
}

async function assemble(home: string, options: TestHostOptions, undo: AsyncDisposableStack): Promise<Assembled> {
  const records: Records = { frames: [], calls: [], questions: [], log: [], warnings: [], delivered: [] };
  const warn = (sentence: string) => void records.warnings.push(sentence);
  const dispatcher = new HookDispatcher();
  const registry = new HookRegistry(warn);
  const sessions = new SqliteSessions(openMemoryDatabase(), (error) => warn(problemOf(error)));
  const builtin = await recordingTools(options, records.calls);
  const deps: HostDeps = {
    dispatcher,
    registry,
    env: options.env ?? {},
    log: memoryLog(records.log),
    warn,
    builtinTools: [...builtin.map(({ name }) => name), "delegate_task"],
    safeMode: false,
    deliver: async ({ text }) => void records.delivered.push(text),
    run_turn: async ({ prompt }) =>
      runner.turn(requestOf(sessions.create({ ...PLACE, source: "plugin:test" }), prompt)),
  };
  const { plugins, config } = await loadPlugins(home, options, deps, undo);
  undo.defer(() => plugins.unload());
  const scripted = createScriptedModel(options.model ?? []);
  const runner: AgentRunner = createAgentRunner({
    dispatcher,
    registry,
    sessions,
    tools: () => [...builtin, ...plugins.tools()],
    model: async () => scripted,
    modelId: () => scripted.id,
    mirror: mirrorFrames(registry, String),
    maxIterations: () => config.values.agent.max_iterations,
    maxRetries: () => 0,
    cwd: home,
    log: memoryLog(records.log),
  });
  return {
    home,
    ...records,
    turn: turnsOf(runner, sessions.create(PLACE), options, records),
    async fire(event, payload = {}) {
      return answerOf(await dispatcher.invoke_hook(event, { ...EVENTS[event].sample(), ...payload } as never));
    },
    emit: (event, context = {}) => registry.emit(event, { ...context }),
    async command(name, args = "") {
      const command = plugins.commands().find((one) => one.name === name);
      if (command === undefined) throw new Error(`no plugin has the command /${name}`);
      return command.run(args);
    },
  };
}

/** Runs turns of one session, and answers questions as the test says. */
function turnsOf(runner: AgentRunner, session: Session, { answers }: TestHostOptions, records: Records) {
  const { frames, questions } = records;
  const left = [...(answers ?? [])];
  const ask = async (question: CallQuestion) => {
    questions.push(question);
    return left.shift() ?? "n";
  };
  return async (message: string): Promise<TestTurn> => {
    const from = frames.length;
    const onFrame = (frame: Frame) => void frames.push(frame);
    const request = { ...requestOf(session, message), onFrame, ...(answers === undefined ? {} : { ask }) };
    const { text } = await runner.turn(request);
    return { text, frames: frames.slice(from) };
  };
}

const PLACE = { platform: "cli", source: "chat" } as const;

function requestOf(session: Session, message: string) {
  return { session, message, platform: "cli", signal: new AbortController().signal };
}

/** The built-in tools with their schemas; instead of doing something, they record the call. */
async function recordingTools({ tools = {} }: TestHostOptions, calls: ScriptedCall[]): Promise<readonly Tool[]> {
  const builtin = (await listBuiltinTools({})).filter((tool): tool is Tool => "parameters" in tool);
  return builtin.map((tool) => ({
    ...tool,
    async execute(args) {
      calls.push({ tool: tool.name, args });
      const result = Object.hasOwn(tools, tool.name) ? tools[tool.name] : { ok: true };
      return typeof result === "function" ? (result as (given: object) => unknown)(args) : result;
    },
  }));
}

type HostDeps = Omit<Parameters<typeof createPluginHost>[0], "paths" | "builtin">;

/** Loads what is tested. Throws when something of it does not load. */
async function loadPlugins(
  home: string,
  { plugins: given }: TestHostOptions,
  deps: HostDeps,
  undo: AsyncDisposableStack,
) {
  const folder = join(home, "plugins");
  mkdirSync(folder);
  const wanted = given.map((one, index) => ({ name: `plugin-${index + 1}`, ...entryOf(one) }));
  const folders = wanted.flatMap(({ plugin }) => (typeof plugin === "string" ? [resolve(plugin)] : []));
  for (const path of folders) symlinkSync(path, join(folder, basename(path)));
  const builtin = wanted.flatMap(({ name, plugin }) => (typeof plugin === "string" ? [] : [inMemory(name, plugin)]));
  const entries = wanted.map(({ name, plugin, settings, on_error }) => [
    typeof plugin === "string" ? basename(resolve(plugin)) : name,
    { ...(settings === undefined ? {} : { settings }), ...(on_error === undefined ? {} : { on_error }) },
  ]);
  const enabled = folders.map((path) => basename(path));
  const section = { plugins: { enabled, entries: Object.fromEntries(entries) as object } };
  const config = await parseConfig(JSON.stringify(section), "config.yaml", deps.env);
  const python = openPython({ config: () => config, home, env: { ...process.env, ...deps.env }, log: deps.log });
  undo.use(python);
  const plugins: PluginHost = createPluginHost({
    ...deps,
    loadCode: pythonPlugins(python),
    paths: { home, plugins: folder },
    builtin,
  });
  await plugins.load(config);
  const failed = plugins.list().filter(({ state }) => state === "error");
  if (failed.length > 0) {
    await plugins.unload();
    throw new Error(failed.map(({ name, error }) => `the plugin "${name}" does not load: ${error}`).join("\n"));
  }
  return { plugins, config };
}

function entryOf(given: TestHostOptions["plugins"][number]): TestPlugin {
  return typeof given === "object" && "plugin" in given ? given : { plugin: given };
}

function inMemory(name: string, plugin: PluginDefinition): BuiltinPlugin {
  return { name, description: "under test", isOn: true, on_error: "skip", load: async () => plugin };
}

function memoryLog(lines: string[], plugin = "host"): Log {
  const at = (level: string) => (message: string) => void lines.push(`${level} ${plugin}: ${message}`);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: ({ plugin: name }) => memoryLog(lines, typeof name === "string" ? name : plugin),
  };
}
