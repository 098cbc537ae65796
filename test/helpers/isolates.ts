/** The isolate tier with a store of its own, and handlers to put in it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import type { LookupFunction } from "node:net";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { isHermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Allowances, Handler, HandlerTier, GatewayHook } from "#core/ports/tier";
import { createIsolateTier } from "#sandbox/isolate/tier";
import { createHookValues } from "#sandbox/isolate/values";
import { makeGatewayHook } from "./gateway-hook.ts";

type Answer = { readonly decision?: string; readonly message?: unknown } | null;

export interface IsolatedHook {
  readonly handler: Handler;
  /** What it printed, as `level: text`. */
  readonly output: string[];
  readonly strays: string[];
  run(context?: object, event?: string): Promise<Answer>;
  /** The code and the sentence that a run fails with; fails when it does not. */
  fails(context?: object, event?: string): Promise<{ code: string; message: string }>;
}

export interface HookOptions {
  readonly timeoutSeconds?: number;
  readonly memoryMb?: number;
  readonly allow?: Partial<Allowances>;
  /** Its folder's name in `hooks/`; its name by default. */
  readonly directory?: string;
}

export class Isolates {
  readonly tier: HandlerTier;
  readonly database: DatabaseSync;
  /** What the tier itself had to say. */
  readonly log: string[] = [];
  readonly #root: string;

  constructor(context: Pick<TestContext, "after">, env: NodeJS.ProcessEnv = {}, lookup?: LookupFunction) {
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-isolates-")));
    this.database = openMemoryDatabase();
    const values = createHookValues(() => this.database);
    this.tier = createIsolateTier({ env, values, log: this.#logger(), ...(lookup === undefined ? {} : { lookup }) });
    context.after(async () => {
      await this.tier[Symbol.asyncDispose]();
      rmSync(this.#root, { recursive: true, force: true });
    });
  }

  /** Where the files of a handler are. */
  folder(name: string): string {
    return join(this.#root, name);
  }

  /** Opens a handler; `code` is the text of its file, or of several by their names (`handler.ts` is the handler). */
  open(name: string, code: string | Readonly<Record<string, string>>, options: HookOptions = {}): IsolatedHook {
    const folder = this.folder(name);
    for (const [file, text] of Object.entries(typeof code === "string" ? { "handler.ts": code } : code)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    return this.openFile(join(folder, "handler.ts"), { ...options, name });
  }

  /** Opens a handler that is there already. */
  openFile(
    handler: string,
    { name = basename(handler), ...options }: HookOptions & { name?: string } = {},
  ): IsolatedHook {
    const output: string[] = [];
    const strays: string[] = [];
    const opened = this.tier.open(hookFolder(handler, name, options), {
      onOutput: (level, text) => output.push(`${level}: ${text}`),
      onStray: (problem) => strays.push(problem),
    });
    const run = (context: object = {}, event = "command:test") => {
      return opened.run(event, context as Record<string, unknown>) as Promise<Answer>;
    };
    const fails = (context?: object, event?: string) =>
      run(context, event).then(
        (answer) => {
          throw new Error(`it answered ${JSON.stringify(answer)}`);
        },
        (error: unknown) => {
          if (!isHermesError(error)) throw error;
          return { code: error.code, message: error.message };
        },
      );
    return { handler: opened, output, strays, run, fails };
  }

  #logger(): Log {
    const write = (message: string, fields?: object) => void this.log.push(`${message} ${JSON.stringify(fields)}`);
    const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
    return log;
  }
}

function hookFolder(handler: string, name: string, options: HookOptions): GatewayHook {
  const { timeoutSeconds = 20, memoryMb = 32, allow = {}, directory = name } = options;
  return makeGatewayHook(name, {
    directory,
    events: ["command:*"],
    isolation: "isolate",
    timeoutSeconds,
    memoryMb,
    allow: { fetch: [], env: [], kv: false, ...allow },
    folder: realpathSync(dirname(handler)),
    handler: realpathSync(handler),
  });
}

/** The processes that host isolates for a process; none where there is no /proc to look into. */
export function isolateProcesses(parent = process.pid): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && isIsolateHost(pid) && parentOf(pid) === parent);
}

function isIsolateHost(pid: number): boolean {
  return read(`/proc/${pid}/cmdline`).includes("sandbox/isolate/entry");
}

function parentOf(pid: number): number {
  const [state, parent] = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return state === "Z" ? 0 : Number(parent);
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
