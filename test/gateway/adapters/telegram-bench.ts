/** The `telegram` adapter against a server of a test's own, with quick timing. */
import assert from "node:assert/strict";
import { createTelegram, type TelegramAdapter, type TelegramOptions } from "#gateway/adapters/telegram/adapter";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { TelegramServer, TOKEN } from "../../helpers/telegram-server.ts";

export interface Bench {
  readonly server: TelegramServer;
  readonly adapter: TelegramAdapter;
  readonly inbox: TestInbox;
  readonly lines: readonly string[];
}

const QUICK: TelegramOptions["timing"] = {
  pollSeconds: 5,
  pollSlackMs: 20_000,
  firstPause: 10,
  longestPause: 80,
  retryMs: 10,
  editMs: 20,
  groupEditMs: 60,
  typingDelayMs: 20,
  typingMs: 20,
};

/** A server that runs and an adapter that does not yet. After the test no log line may hold the token. */
export async function makeBench(
  t: { after(fn: () => unknown): void },
  { timing, ...options }: Partial<TelegramOptions> = {},
): Promise<Bench> {
  const server = await new TelegramServer().start();
  const { lines, log } = noteLog();
  const adapter = createTelegram({
    token: TOKEN,
    api_root: server.url,
    log,
    warn: (sentence) => void lines.push(`said ${sentence}`),
    timing: { ...QUICK, ...timing },
    ...options,
  });
  t.after(async () => {
    await adapter.stop();
    await server.stop();
    assert.ok(!lines.join("\n").includes(TOKEN.split(":")[1]!), "the log holds no token");
  });
  // The router's answers come from the tests.
  return { server, adapter, inbox: new TestInbox(() => undefined), lines };
}

export async function startBench(
  t: { after(fn: () => unknown): void },
  options: Partial<TelegramOptions> = {},
): Promise<Bench> {
  const bench = await makeBench(t, options);
  await bench.adapter.start(bench.inbox);
  return bench;
}
