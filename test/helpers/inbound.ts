/** The listeners of inbound webhooks in this process, with real scripts and an inbox in memory. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { grantExplicitTest } from "#allowlist/decide";
import { createRunner } from "#cli/inbound/start";
import { createContext } from "#cli/context";
import { isHermesError } from "#core/errors";
import { parseConfig } from "#core/home/config";
import { openMemoryDatabase } from "#core/home/database";
import type { InboundRecord } from "#core/home/inbound-log";
import { homePaths } from "#core/home/paths";
import type { DedupKey, WebhookInbox } from "#daemon/inbound/deliver";
import { configuredHooks, type InboundHook } from "#daemon/inbound/hooks";
import { InboundReceiver, type ReceiverOptions } from "#daemon/inbound/receiver";
import type { RunScript } from "#daemon/inbound/script";
import { listen, type InboundServers, type ServerLimits } from "#daemon/inbound/server";
import { EmbeddedInboundRuns } from "#daemon/storage/embedded-inbound-runs";
import { temporaryFolder } from "./temporary-folder.ts";
import { freePort } from "./ports.ts";

/** An inbox that keeps everything, until it is told to be full. */
export class MemoryInbox implements WebhookInbox {
  readonly messages: { readonly label: string; readonly content: string }[] = [];
  full = false;
  readonly #seen = new Set<string>();

  async add(message: Parameters<WebhookInbox["add"]>[0]): Promise<{ kind: "stored" | "full" | "duplicate" }> {
    const keys = message.dedup.map(keyText);
    if (keys.length > 0 && keys.every((key) => this.#seen.has(key))) return { kind: "duplicate" };
    if (this.full) return { kind: "full" };
    this.messages.push({ label: message.label, content: message.content });
    for (const key of keys) this.#seen.add(key);
    return { kind: "stored" };
  }

  async remember(keys: readonly DedupKey[]): Promise<void> {
    for (const key of keys) this.#seen.add(keyText(key));
  }

  async isRemembered(key: DedupKey): Promise<boolean> {
    return this.#seen.has(keyText(key));
  }

  /** What was injected, without the lines that mark it as untrusted. */
  texts(): readonly string[] {
    return this.messages.map(({ content }) => unmarked(content));
  }
}

function keyText({ scope, id }: DedupKey): string {
  return `${scope} ${id}`;
}

/** What stands between the two lines with the token. */
function unmarked(content: string): string {
  const found = /^-----.*untrusted ([0-9a-f]+) -----\n([^]*)\n-----.*untrusted \1 -----$/m.exec(content);
  if (found === null) throw new Error(`not marked as untrusted: ${content}`);
  return found[2]!;
}

export interface InboundBench {
  readonly folder: string;
  readonly inbox: MemoryInbox;
  readonly runs: EmbeddedInboundRuns;
  readonly records: readonly InboundRecord[];
  readonly logged: readonly string[];
  readonly servers: InboundServers;
  /** What the receiver was made with. */
  readonly options: ReceiverOptions;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Sends a request; POST by default. */
  send(path: string, init?: RequestInit): Promise<Reply>;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

interface BenchOptions {
  /** The entries of `inbound:`, without `name`, `bind` and `script` where the defaults will do. */
  readonly hooks?: readonly Readonly<Record<string, unknown>>[];
  /** The text of the script of the hooks that name none. */
  readonly script?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly limits?: Partial<ServerLimits>;
  /** Changes what runs a script. */
  readonly wrap?: (run: RunScript) => RunScript;
  readonly config?: Readonly<Record<string, unknown>>;
  /** The clock of what is stored. */
  readonly now?: () => number;
}

/** Starts the hooks `hook0`, `hook1`, … on one port. They end with the test. */
export async function startInbound(t: TestContext, options: BenchOptions = {}): Promise<InboundBench> {
  for (;;) {
    try {
      return await startOn(await freePort(), t, options);
    } catch (error) {
      // Another test has taken the port in the meantime.
      if (!isHermesError(error) || error.code !== "HERMES_INBOUND_PORT") throw error;
    }
  }
}

async function startOn(port: number, t: TestContext, options: BenchOptions): Promise<InboundBench> {
  const folder = temporaryFolder(t);
  const { hooks: entries = [{}], env = process.env } = options;
  writeScript(join(folder, "script"), options.script ?? "#!/bin/sh\ncat\n");
  const inbound = entries.map((entry, index) => ({
    name: `hook${index}`,
    bind: `127.0.0.1:${port}`,
    script: join(folder, "script"),
    ...entry,
  }));
  const config = await parseConfig(JSON.stringify({ inbound, ...options.config }), join(folder, "config.yaml"), env);
  const hooks: readonly InboundHook[] = configuredHooks(config.values.inbound, { cwd: folder, userHome: folder });
  const paths = homePaths(join(folder, "home"), env);
  const place = { cwd: folder, env, home: paths.home };
  const run = createRunner(
    { decide: (request) => grantExplicitTest(request) },
    { paths, config, context: createContext(env) },
    place,
  );
  const [inbox, records, logged] = [new MemoryInbox(), [] as InboundRecord[], [] as string[]];
  const runs = new EmbeddedInboundRuns(openMemoryDatabase(), options.now);
  const note = (message: string) => void logged.push(message);
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const made: ReceiverOptions = {
    session: "bench",
    hooks,
    run: options.wrap?.(run) ?? run,
    inbox,
    runs,
    log,
    record: (record) => void records.push(record),
  };
  const receiver = new InboundReceiver(made);
  const servers = await listen(hooks, options.limits);
  t.after(() => servers.stop(0));
  servers.serve(receiver);
  await receiver.start();
  const url = `http://127.0.0.1:${port}`;
  const send = async (path: string, init: RequestInit = {}): Promise<Reply> => {
    const response = await fetch(url + path, { method: "POST", ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { folder, inbox, runs, records, logged, servers, options: made, url, port, send };
}

export function writeScript(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}
