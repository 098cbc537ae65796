/** A plugin host in this process, with plugins of test/fixtures/plugins or written on the spot. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { parseConfig, type Config } from "#core/home/config";
import { HookDispatcher } from "#core/dispatch";
import type { EventName } from "#core/events";
import { EVENTS } from "#core/events";
import type { Log } from "#core/home/log";
import { HookRegistry } from "#core/registry";
import type { HookRun } from "#core/ports/hook";
import { createPluginHost, type PluginHost, type PluginHostDeps } from "#plugins/host";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/plugins");

export interface BenchOptions extends Partial<PluginHostDeps> {
  /** The `plugins:` section as YAML; what is enabled comes from the call. */
  readonly entries?: object;
  readonly disabled?: readonly string[];
  readonly callback_timeout_seconds?: number;
}

export interface PluginBench {
  readonly host: PluginHost;
  /** The configuration that the host's `load` takes. */
  readonly config: Config;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly folder: string;
  readonly runs: HookRun[];
  readonly warnings: string[];
  /** Lines of the log, as `level plugin: message`. */
  readonly lines: string[];
  /** Fires an event with its sample payload. */
  fire(event: EventName, changes?: object): Promise<unknown>;
}

/** Copies fixtures into a folder of plugins; a value of `written` is a file's text under `plugins/`. */
export function makePlugins(
  t: Pick<TestContext, "after">,
  fixtures: readonly string[],
  written: Readonly<Record<string, string>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-plugins-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of fixtures) cpSync(join(FIXTURES, name), join(folder, name), { recursive: true });
  for (const [path, text] of Object.entries(written)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** A host over a folder of plugins with these enabled; not loaded yet. */
export async function makeHost(
  t: Pick<TestContext, "after">,
  folder: string,
  enabled: readonly string[],
  options: BenchOptions = {},
): Promise<PluginBench> {
  const { entries = {}, disabled = [], callback_timeout_seconds = 30, ...deps } = options;
  const warnings: string[] = [];
  const lines: string[] = [];
  const runs: HookRun[] = [];
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add((run) => void runs.push(run));
  const registry = new HookRegistry((sentence) => void warnings.push(sentence));
  const env = deps.env ?? process.env;
  const section = JSON.stringify({ plugins: { enabled, disabled, callback_timeout_seconds, entries } });
  const config = await parseConfig(section, "config.yaml", env);
  const host = createPluginHost({
    paths: { home: dirname(folder), plugins: folder },
    dispatcher,
    registry,
    env,
    log: memoryLog(lines),
    warn: (sentence) => void warnings.push(sentence),
    builtinTools: ["terminal", "read_file"],
    safeMode: false,
    ...deps,
  });
  t.after(() => host.unload());
  return {
    host,
    config,
    dispatcher,
    registry,
    folder,
    runs,
    warnings,
    lines,
    fire: async (event, changes = {}) => dispatcher.invoke_hook(event, { ...EVENTS[event].sample(), ...changes }),
  };
}

/** Copies and loads these fixtures, all of them enabled. */
export async function loadFixtures(
  t: Pick<TestContext, "after">,
  fixtures: readonly string[],
  options: BenchOptions & {
    readonly written?: Readonly<Record<string, string>>;
    readonly enabled?: readonly string[];
  } = {},
): Promise<PluginBench> {
  const { written, enabled, ...rest } = options;
  const folder = makePlugins(t, fixtures, written);
  const names = enabled ?? [...fixtures, ...Object.keys(written ?? {}).map((path) => path.split("/")[0]!)];
  const bench = await makeHost(t, folder, [...new Set(names)], rest);
  await bench.host.load(bench.config);
  return bench;
}

function memoryLog(lines: string[], plugin = "host"): Log {
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push(`${level} ${plugin}: ${message}${fields?.["stream"] === "stdout" ? " [stdout]" : ""}`);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => memoryLog(lines, typeof fields["plugin"] === "string" ? fields["plugin"] : plugin),
  };
}
