/** The `whatsapp` adapter against a Graph API of a test's own, with quick timing, and Meta's webhooks. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { openMemoryDatabase } from "#core/home/database";
import { createWhatsApp, type WhatsAppAdapter, type WhatsAppOptions } from "#gateway/adapters/whatsapp/adapter";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { freePort } from "../../helpers/ports.ts";
import { PHONE_NUMBER_ID, TOKEN, WhatsAppServer } from "../../helpers/whatsapp-server.ts";
import { APP_SECRET, deliver, VERIFY_TOKEN, webhookOf, type WebhookMessage } from "../../helpers/whatsapp-webhooks.ts";

export interface Bench {
  readonly server: WhatsAppServer;
  readonly adapter: WhatsAppAdapter;
  readonly inbox: TestInbox;
  readonly lines: readonly string[];
  /** What the operator was shown. */
  readonly warnings: readonly string[];
  readonly database: DatabaseSync;
  /** The webhook's URL. */
  readonly url: string;
  /** Posts a webhook of these messages until it is taken. */
  post(...messages: readonly WebhookMessage[]): Promise<number>;
}

const QUICK: WhatsAppOptions["timing"] = { retryMs: 10, typingDelayMs: 20, typingMs: 20, stopMs: 1000 };

type Context = { after(fn: () => unknown): void };

/** A server that runs and an adapter that does not yet. After the test nothing that was said may hold a secret. */
export async function makeBench(
  t: Context,
  { timing, ...options }: Partial<WhatsAppOptions> & { server?: WhatsAppServer } = {},
): Promise<Bench> {
  const server = options.server ?? (await new WhatsAppServer().start());
  const { lines, log } = noteLog();
  const warnings: string[] = [];
  const bind = options.bind ?? `127.0.0.1:${await freePort()}`;
  const database = options.database ?? openMemoryDatabase();
  const adapter = createWhatsApp({
    token: TOKEN,
    phone_number_id: PHONE_NUMBER_ID,
    verify_token: VERIFY_TOKEN,
    app_secret: APP_SECRET,
    api_root: server.url,
    log,
    warn: (sentence) => void warnings.push(sentence),
    timing: { ...QUICK, ...timing },
    ...options,
    bind,
    database,
  });
  t.after(async () => {
    await adapter.stop();
    await server.stop();
    const said = [...lines, ...warnings].join("\n");
    for (const secret of [TOKEN, APP_SECRET, VERIFY_TOKEN]) assert.ok(!said.includes(secret), "a secret was said");
  });
  const url = `http://${bind}/whatsapp`;
  // The router's answers come from the tests.
  const inbox = new TestInbox(() => undefined);
  function post(...messages: readonly WebhookMessage[]): Promise<number> {
    for (const { id } of messages) server.received.add(id);
    return deliver(url, webhookOf(...messages));
  }
  return { server, adapter, inbox, lines, warnings, database, url, post };
}

export async function startBench(t: Context, options: Parameters<typeof makeBench>[1] = {}): Promise<Bench> {
  const bench = await makeBench(t, options);
  await bench.adapter.start(bench.inbox);
  return bench;
}
