/** A gateway on a workbench: the real agent with the offline model behind it, adapters in memory before it. */
import { embeddedStorage } from "#daemon/storage/embedded";
import type { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { visible } from "#allowlist/visible";
import { openMemoryDatabase } from "#core/home/database";
import type { Log } from "#core/home/log";
import type { AgentDeps } from "#agent/scope";
import type { Adapter } from "#core/ports/platform";
import type { Tool } from "#core/ports/agent";
import type { TaskDesk } from "#core/ports/tasks";
import { createTaskDesk } from "#cli/tasks/desk";
import type { GatewayCommand, GatewayDeps, GatewaySettings, Timings } from "#gateway/deps";
import { createGateway, type RunningGateway } from "#gateway/gateway";
import { createBench, type AgentBench } from "./agent-bench.ts";
import { MemoryAdapter } from "./memory-adapter.ts";

export interface GatewayBench {
  readonly gateway: RunningGateway;
  /** The first adapter. */
  readonly adapter: MemoryAdapter;
  readonly agent: AgentBench;
  readonly database: DatabaseSync;
  readonly warnings: string[];
  readonly logged: string[];
  /** Hooks and gateway events in the order in which they came. */
  readonly order: string[];
  settings: GatewaySettings;
  readonly commands: GatewayCommand[];
  readonly tool: HeldTool;
}

/** A tool that ends when the test says so; `@wait {}` calls it. */
export interface HeldTool {
  readonly tool: Tool;
  /** Resolves when so many calls of it run or ran. */
  running(calls: number): Promise<void>;
  /** Lets all calls end, those to come included. */
  release(): void;
}

const QUICK: Partial<Timings> = { firstPause: 5, longestPause: 20, stop: 500, abort: 5000 };

export interface GatewayBenchOptions {
  readonly settings?: GatewaySettings;
  readonly adapters?: readonly Adapter[];
  readonly database?: DatabaseSync;
  readonly timings?: Partial<Timings>;
  readonly start?: boolean;
  readonly deps?: Partial<GatewayDeps>;
  readonly agent?: Partial<AgentDeps>;
  readonly model?: Parameters<typeof createBench>[0] extends (infer Options) | undefined
    ? Options extends { model?: infer Model }
      ? Model
      : never
    : never;
}

export async function createGatewayBench(t: TestContext, options: GatewayBenchOptions = {}): Promise<GatewayBench> {
  const database = options.database ?? openMemoryDatabase();
  const tool = holdTool();
  const agent = createBench({
    database,
    tools: [tool.tool],
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.agent === undefined ? {} : { deps: options.agent }),
  });
  const warnings: string[] = [];
  const logged: string[] = [];
  const order: string[] = [];
  const adapters = options.adapters ?? [new MemoryAdapter()];
  const commands: GatewayCommand[] = [];
  const bench = {
    adapter: adapters[0] as MemoryAdapter,
    agent,
    database,
    warnings,
    logged,
    order,
    commands,
    tool,
    settings: options.settings ?? { allowed_users: ["*"] },
  };
  const gateway = createGateway({
    runner: agent.runner,
    dispatcher: agent.dispatcher,
    registry: agent.registry,
    sessions: agent.sessions,
    database,
    settings: () => bench.settings,
    model: modelSwitch(),
    tasks: taskDesk(database),
    commands: () => commands,
    clean: visible,
    log: recordingLog(logged),
    warn: (sentence) => void warnings.push(sentence),
    timings: { ...QUICK, ...options.timings },
    ...options.deps,
  });
  t.after(async () => {
    tool.release();
    await gateway.drain(5000);
  });
  if (options.start !== false) await gateway.start(adapters);
  return Object.assign(bench, { gateway });
}

/** Records these events, hooks and gateway events alike, with the session each carries. */
export function record({ agent, order }: GatewayBench, hooks: readonly string[], events: readonly string[]): void {
  const put = (event: string, context: Readonly<Record<string, unknown>>) =>
    void order.push(`${event} ${(context["session_id"] as string | null | undefined) ?? "-"}`);
  for (const hook of hooks) agent.hook(hook as Parameters<AgentBench["hook"]>[0], (payload) => put(hook, payload));
  for (const event of events) agent.registry.register(event, put);
}

/** The tasks of the database; none has printed anything. */
function taskDesk(database: DatabaseSync): TaskDesk {
  return createTaskDesk({
    storage: async () => embeddedStorage(database),
    folder: "/nowhere",
    persist: () => true,
    deliveriesFor: () => [],
    redact: (text) => text.replaceAll("hunter22", "[redacted]"),
  });
}

function modelSwitch(): GatewayDeps["model"] {
  let id = "offline";
  return {
    prices: () => undefined,
    describe: () => ({ id, provider: "offline" }),
    use: (wanted) => {
      id = wanted;
    },
  };
}

function recordingLog(lines: string[]): Log {
  const put = (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: put, info: put, warn: put, error: put, child: () => log };
  return log;
}

function holdTool(): HeldTool {
  const released = Promise.withResolvers<void>();
  const waits: { readonly calls: number; readonly wake: () => void }[] = [];
  let calls = 0;
  return {
    tool: {
      name: "wait",
      description: "Waits until the test goes on",
      parameters: { type: "object", properties: {} },
      async execute(_, { signal }) {
        calls++;
        for (const wait of waits) if (wait.calls <= calls) wait.wake();
        const stopped = new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
        );
        await Promise.race([released.promise, stopped]);
        return { waited: true };
      },
    },
    running: (wanted) =>
      new Promise((wake) => {
        if (calls >= wanted) wake();
        else waits.push({ calls: wanted, wake });
      }),
    release: released.resolve,
  };
}
