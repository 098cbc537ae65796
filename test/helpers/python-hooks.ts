/** A home's `hooks/` with Python handlers, in a bridge of their own. */
import type { TestContext } from "node:test";
import { openPython, pythonPlace, type Python } from "#cli/python";
import { createTier, tierChecks } from "#cli/tiers";
import { parseConfig } from "#core/home/config";
import { openMemoryDatabase } from "#core/home/database";
import type { Log } from "#core/home/log";
import type { GatewayHookSettings } from "#gateway/hooks/settings";
import { makeHookBench, type HookBench } from "./gateway-hooks.ts";

export interface PythonBenchOptions {
  readonly settings?: () => Partial<GatewayHookSettings>;
  /** Takes the place of `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** `level text` of what no hook has written, a line each. */
  readonly strange?: string[];
}

export interface PythonBench extends HookBench {
  readonly python: Python;
}

/** Makes a bench whose tiers are the real ones; loads nothing. */
export async function makePythonBench(
  t: Pick<TestContext, "after">,
  { settings = () => ({}), env = process.env, strange = [] }: PythonBenchOptions = {},
): Promise<PythonBench> {
  const database = openMemoryDatabase();
  const config = await parseConfig("", "config.yaml", {});
  const at = (level: string) => (text: string) => void strange.push(`${level} ${text}`);
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  // The home is that of the bench.
  let opened: Python | undefined;
  const open = () => (opened ??= openPython({ config: () => config, home: bench.path(""), env, log }));
  const python: Python = {
    bridge: () => open().bridge(),
    configure: () => open().configure(),
    [Symbol.asyncDispose]: async () => opened?.[Symbol.asyncDispose](),
  };
  const deps = { env, database, log, python: () => python.bridge() };
  const bench: HookBench = makeHookBench(t, {
    settings,
    worker: (name) => createTier(name, deps),
    checks: tierChecks(() => pythonPlace(config, env)),
  });
  t.after(() => python[Symbol.asyncDispose]());
  return { ...bench, python };
}

/** Asks the command's handler; its message, undefined when it decided nothing. */
export async function askCommand(bench: HookBench, name: string, args = ""): Promise<unknown> {
  const [answer] = await bench.registry.emit_collect<{ message: string }>(`command:${name}`, { command: name, args });
  await bench.host.drain(30_000);
  return answer?.message;
}
