/** A home's `hooks/` with a host of its own: the registry and the real tiers, without a gateway around them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Log } from "#core/home/log";
import { HookRegistry } from "#core/registry";
import type { HookRun } from "#core/ports/hook";
import { createGatewayHooks, type GatewayHooks } from "#gateway/hooks/host";
import { DEFAULT_SETTINGS, type GatewayHookSettings } from "#gateway/hooks/settings";
import { tierChecks, type TierChecks } from "#cli/tiers";
import type { HandlerTier } from "#core/ports/tier";
import type { TierName } from "#core/tiers";
import { createWorkerTier } from "#sandbox/worker/pool";
import { ROOT } from "./hermes.ts";
import { until } from "./poll.ts";

export interface HookBench {
  /** `hooks/`. */
  readonly folder: string;
  readonly registry: HookRegistry;
  readonly host: GatewayHooks;
  /** Every run so far. */
  readonly runs: readonly HookRun[];
  /** `level text`, a line each. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
  /** Writes files of a hook; an undefined text removes one. */
  write(directory: string, files: Readonly<Record<string, string | undefined>>): void;
  /** Emits and waits until its run is recorded. */
  run(event: string, context?: Record<string, unknown>): Promise<HookRun>;
  /** What a file of the bench's folder holds, empty when it is not there; handlers find its path in `HOOK_BENCH`. */
  read(file: string): string;
  path(file: string): string;
}

export interface HookBenchOptions {
  readonly safeMode?: boolean;
  readonly settings?: () => Partial<GatewayHookSettings>;
  /** Makes the tier of any name; threads by default. */
  readonly worker?: (name: TierName) => Promise<HandlerTier>;
  readonly checks?: TierChecks;
  /** Names of folders of `test/fixtures/handlers`. */
  readonly fixtures?: readonly string[];
}

/** Makes a bench, loads nothing; all of it goes after the test. */
export function makeHookBench(t: Pick<TestContext, "after">, options: HookBenchOptions = {}): HookBench {
  const root = mkdtempSync(join(tmpdir(), "hermes-hooks-"));
  const folder = join(root, "hooks");
  const runs: HookRun[] = [];
  const lines: string[] = [];
  const warnings: string[] = [];
  const registry = new HookRegistry((sentence) => lines.push(`registry ${sentence}`));
  for (const name of options.fixtures ?? []) {
    cpSync(join(ROOT, "test/fixtures/handlers", name), join(folder, name), { recursive: true });
  }
  const host = createGatewayHooks({
    folder,
    registry,
    record: (run) => void runs.push(run),
    log: logTo(lines),
    warn: (sentence) => warnings.push(sentence),
    safeMode: options.safeMode ?? false,
    settings: () => ({ ...DEFAULT_SETTINGS, ...options.settings?.() }),
    ...(options.checks ?? tierChecks(() => ({ configured: undefined, env: process.env }))),
    createTier: options.worker ?? (async () => createWorkerTier()),
  });
  t.after(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });
  const path = (file: string) => join(root, file);
  return {
    folder,
    registry,
    host,
    runs,
    lines,
    warnings,
    write(directory, files) {
      for (const [name, text] of Object.entries(files)) {
        const file = join(folder, directory, name);
        mkdirSync(dirname(file), { recursive: true });
        if (text === undefined) rmSync(file, { force: true });
        else writeFileSync(file, text.replaceAll("HOOK_BENCH", root));
      }
    },
    async run(event, context) {
      const before = runs.length;
      await registry.emit(event, context);
      await until(() => runs.length > before, `a run at ${event}`, { withinMs: 60_000, seen: () => lines });
      return runs[before]!;
    },
    read: (file) => (existsSync(path(file)) ? readFileSync(path(file), "utf8") : ""),
    path,
  };
}

function logTo(lines: string[]): Log {
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return log;
}
