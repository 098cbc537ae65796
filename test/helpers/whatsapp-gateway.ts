/** The real gateway with `whatsapp` between a Graph API and Meta's webhooks, in a home of its own. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { startGateway, type RunningGateway } from "./gateway.ts";
import { Home } from "./hermes.ts";
import { until } from "./poll.ts";
import { freePort } from "./ports.ts";
import { PHONE_NUMBER_ID, TOKEN, WhatsAppServer } from "./whatsapp-server.ts";
import { APP_SECRET, deliver, messageOf, VERIFY_TOKEN, webhookOf, type WebhookMessage } from "./whatsapp-webhooks.ts";

/** What the configuration of the bench refers to. */
export const WHATSAPP_ENV = { WA_TOKEN: TOKEN, WA_SECRET: APP_SECRET, WA_VERIFY: VERIFY_TOKEN };

export interface WhatsAppBench {
  readonly server: WhatsAppServer;
  readonly home: Home;
  /** Where Meta posts. */
  readonly url: string;
  start(): Promise<RunningGateway>;
  /** Posts a message of the user until the gateway has taken it. */
  say(user: number, text: string): Promise<WebhookMessage>;
  /** Resolves when the user has got a message like this; gives it. */
  answer(user: number, like: RegExp): Promise<string>;
  /** Ends the gateway as Ctrl+C does; no secret may be in anything that it said or wrote. */
  end(gateway: RunningGateway): Promise<void>;
}

export interface WhatsAppBenchOptions {
  /** Who may use the gateway; user 42 when absent. */
  readonly allowed?: string;
  /** The rest of config.yaml. */
  readonly more?: string;
}

export async function prepareWhatsApp(
  t: Pick<TestContext, "after">,
  { allowed = "42", more = "" }: WhatsAppBenchOptions = {},
): Promise<WhatsAppBench> {
  const server = await new WhatsAppServer().start();
  t.after(() => server.stop());
  const bind = `127.0.0.1:${await freePort()}`;
  // By default, a message would end the turn of the one before it, if that still runs.
  const config = `gateway:
  busy: queue
  home_channel: { platform: whatsapp, chat_id: 42 }
  platforms:
    api_server: { enabled: true, port: 0 }
    whatsapp:
      enabled: true
      token: "\${WA_TOKEN}"
      app_secret: "\${WA_SECRET}"
      verify_token: "\${WA_VERIFY}"
      phone_number_id: "${PHONE_NUMBER_ID}"
      allowed_users: ["${allowed}"]
      bind: "${bind}"
      api_root: "${server.url}"
${more}`;
  const home = new Home(t);
  const url = `http://${bind}/whatsapp`;
  return {
    server,
    home,
    url,
    start: () => startGateway(t, home, { config, env: WHATSAPP_ENV }),
    async say(user, text) {
      const message = messageOf(user, text);
      server.received.add(message.id);
      await deliver(url, webhookOf(message));
      return message;
    },
    answer: (user, like) =>
      until(() => server.textsOf(user).find((text) => like.test(text)), `${user} gets ${like}`, {
        seen: () => server.textsOf(user),
      }),
    async end(gateway) {
      gateway.kill("SIGTERM");
      assert.equal((await gateway.ended).code, 0);
      const said = gateway.stdout() + gateway.stderr() + home.read("logs/hermes.log");
      for (const secret of Object.values(WHATSAPP_ENV)) assert.ok(!said.includes(secret), "a secret was said");
    },
  };
}
