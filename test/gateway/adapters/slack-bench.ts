/** The `slack` adapter against a server of a test's own, with quick timing. */
import assert from "node:assert/strict";
import { createSlack, type SlackAdapter } from "#gateway/adapters/slack/adapter";
import type { SlackOptions } from "#gateway/adapters/slack/options";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { APP_TOKEN, BOT_TOKEN } from "../../helpers/slack-events.ts";
import { SlackServer } from "../../helpers/slack-server.ts";

export interface Bench {
  readonly server: SlackServer;
  readonly adapter: SlackAdapter;
  readonly inbox: TestInbox;
  readonly lines: readonly string[];
  /** What the operator was shown. */
  readonly warnings: readonly string[];
}

const QUICK: SlackOptions["timing"] = {
  firstPause: 10,
  longestPause: 80,
  retryMs: 10,
  editMs: 20,
  updateMs: 0,
  postMs: 0,
  typingDelayMs: 20,
  typingMs: 20,
  closeMs: 100,
  steadyMs: 50,
  tokenMs: 10,
  lookupMs: 30_000,
};

/** A server that runs and an adapter that does not yet. After the test no log line may hold a token. */
export async function makeBench(
  t: { after(fn: () => unknown): void },
  { timing, ...options }: Partial<SlackOptions> = {},
): Promise<Bench> {
  const server = await new SlackServer().start();
  const { lines, log } = noteLog();
  const warnings: string[] = [];
  const started = new Set<string>();
  const adapter = createSlack({
    bot_token: BOT_TOKEN,
    app_token: APP_TOKEN,
    api_root: server.url,
    log,
    warn: (sentence) => void warnings.push(sentence),
    isCommand: (word) => ["new", "status", "approve"].includes(word),
    threads: {
      note: (channel, thread) => void started.add(`${channel} ${thread}`),
      has: (channel, thread) => started.has(`${channel} ${thread}`),
    },
    timing: { ...QUICK, ...timing },
    ...options,
  });
  t.after(async () => {
    await adapter.stop();
    await server.stop();
    const said = [...lines, ...warnings].join("\n");
    for (const secret of [BOT_TOKEN, APP_TOKEN, "ticket-"]) assert.ok(!said.includes(secret), `nothing says ${secret}`);
  });
  // The router's answers come from the tests.
  return { server, adapter, inbox: new TestInbox(() => undefined), lines, warnings };
}

export async function startBench(
  t: { after(fn: () => unknown): void },
  options: Partial<SlackOptions> = {},
): Promise<Bench> {
  const bench = await makeBench(t, options);
  await bench.adapter.start(bench.inbox);
  return bench;
}
