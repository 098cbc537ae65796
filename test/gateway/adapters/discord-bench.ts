/** The `discord` adapter against a server of a test's own, with quick timing. */
import assert from "node:assert/strict";
import { openMemoryDatabase } from "#core/home/database";
import { createDiscord, type DiscordAdapter, type DiscordOptions } from "#gateway/adapters/discord/adapter";
import { DiscordServer, TOKEN } from "../../helpers/discord-server.ts";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";

export interface Bench {
  readonly server: DiscordServer;
  readonly adapter: DiscordAdapter;
  readonly inbox: TestInbox;
  readonly lines: readonly string[];
  /** What the operator was shown. */
  readonly warnings: readonly string[];
  /** Another adapter with the same database, as after a restart. */
  readonly another: () => DiscordAdapter;
}

const QUICK: DiscordOptions["timing"] = {
  firstPause: 10,
  longestPause: 80,
  identify: { firstPause: 10, longestPause: 80 },
  startMs: 10_000,
  closeMs: 1000,
  retryMs: 10,
  editMs: 20,
  typingDelayMs: 20,
  typingMs: 20,
};

const COMMANDS = [
  { name: "new", summary: "start a new session" },
  { name: "model", usage: "[ID]", summary: "show the model" },
];

/** A server that runs and an adapter that does not yet. After the test, neither log nor warnings may hold the token. */
export async function makeBench(
  t: { after(fn: () => unknown): void },
  { timing, ...options }: Partial<DiscordOptions> = {},
): Promise<Bench> {
  const server = await new DiscordServer().start();
  const { lines, log } = noteLog();
  const warnings: string[] = [];
  const database = openMemoryDatabase();
  const adapters: DiscordAdapter[] = [];
  const another = () => {
    const adapter = createDiscord({
      token: TOKEN,
      api_root: server.url,
      log,
      warn: (sentence) => void warnings.push(sentence),
      commands: () => COMMANDS,
      database,
      timing: { ...QUICK, ...timing },
      ...options,
    });
    adapters.push(adapter);
    return adapter;
  };
  t.after(async () => {
    await Promise.all(adapters.map((adapter) => adapter.stop()));
    await server.stop();
    const said = [...lines, ...warnings].join("\n");
    for (const secret of [TOKEN, TOKEN.split(".")[2]!]) assert.ok(!said.includes(secret), "the token is nowhere");
  });
  // The router's answers come from the tests.
  return { server, adapter: another(), inbox: new TestInbox(() => undefined), lines, warnings, another };
}

export async function startBench(
  t: { after(fn: () => unknown): void },
  options: Partial<DiscordOptions> = {},
): Promise<Bench> {
  const bench = await makeBench(t, options);
  await bench.adapter.start(bench.inbox);
  return bench;
}
