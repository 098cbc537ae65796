/** The commands of webhooks that send: `test` and `redeliver`. */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError } from "#core/errors";
import { demandFor } from "#core/home/demands";
import { createRedactor, type Redactor } from "#core/home/redact";
import type { DeliveryDetails, DeliveryStore } from "#core/ports/deliveries";
import { Deliverer } from "#daemon/webhooks/deliverer";
import type { Endpoint } from "#daemon/webhooks/endpoints";
import { verdictOn } from "#daemon/webhooks/retry";
import { samplePayload } from "#daemon/webhooks/samples";
import { WebhookSender } from "#daemon/webhooks/send";
import type { CliContext } from "#cli/context";
import { secretsOf } from "#cli/host-files";
import { programVersion } from "#cli/version";
import { deliveryId } from "./deliveries.ts";
import { findEndpoint, withWebhooks, type WebhookHome } from "./store.ts";

export interface RedeliverOptions {
  readonly failed?: true;
  /** Milliseconds. */
  readonly since?: number;
  readonly json?: true;
}

/** How long `redeliver` waits for requests; what is left then is still pending. */
const PATIENCE_MS = 120_000;
const LEASE_MS = 90_000;

/** `hermes webhooks test NAME`: one attempt, which is listed like any other and never tried again. */
export function testEndpoint(name: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  return withWebhooks(command, context, async (home) => {
    const endpoint = findEndpoint(home.endpoints, name);
    await using sender = openSender(home, context);
    const event = endpoint.event.replace(/:\*$/, ":example");
    const payload = JSON.stringify(samplePayload(endpoint.event));
    const [id] = await home.store.add([{ event, endpoint: name, payload }]);
    const sent = await sendOnce(home.store, sender, endpoint, id!);
    report([sent], json, context);
  });
}

async function sendOnce(store: DeliveryStore, sender: WebhookSender, endpoint: Endpoint, id: string) {
  const delivery = await store.claimOne(id, { leaseMs: LEASE_MS });
  if (delivery !== undefined) {
    const [at, started] = [new Date().toISOString(), performance.now()];
    const result = await sender.send(endpoint, delivery, new AbortController().signal);
    const { status, error } = result;
    const attempt = { at, status, error, duration_ms: Math.round(performance.now() - started) };
    const kind = verdictOn(result) === "delivered" ? "delivered" : "failed";
    await store.finish([{ id, attempt, next: { kind } }]);
  }
  return (await store.get(id))!;
}

/** `hermes webhooks redeliver ID` and `--failed` */
export function redeliver(
  written: string | undefined,
  { failed, since, json }: RedeliverOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  if ((written === undefined) === (failed === undefined)) {
    throw new HermesError("HERMES_USAGE", { problem: "Give either the id of a delivery or --failed." });
  }
  return withWebhooks(command, context, async (home) => {
    const { store } = home;
    const from = new Date(since === undefined ? 0 : Date.now() - since);
    const ids = written === undefined ? await store.failedSince(from) : [await deliveryId(written, store)];
    await using sender = openSender(home, context);
    await store.redeliver(ids);
    await deliverAll(home, sender, context);
    const sent = await Promise.all(ids.map(async (id) => (await store.get(id))!));
    report(sent, json === true, context);
  });
}

/** Sends what is due, until nothing is being sent. What fails is tried again by the next process that runs turns. */
async function deliverAll(
  { store, endpoints }: WebhookHome,
  sender: WebhookSender,
  context: CliContext,
): Promise<void> {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: context.warn, child: () => log };
  await using deliverer = new Deliverer({ store, sender, endpoints: () => endpoints, log, warn: context.warn });
  await deliverer.lookAround();
  await deliverer.drain(PATIENCE_MS);
}

/** Throws HERMES_CONFIG_VARIABLE. */
function openSender({ config }: WebhookHome, context: CliContext): WebhookSender {
  demandFor("webhooks", config);
  const redact: Redactor = createRedactor(context.env, secretsOf(config.values));
  return new WebhookSender({ version: programVersion(), redact });
}

function report(sent: readonly DeliveryDetails[], json: boolean, context: CliContext): void {
  if (json) context.json({ deliveries: sent.map(({ payload: _payload, history: _history, ...delivery }) => delivery) });
  else if (sent.length === 0) context.out("No delivery has failed.");
  else for (const delivery of sent) context.out(describe(delivery));
  if (sent.some(({ status }) => status !== "delivered")) context.exit(EXIT.failed);
}

function describe({ id, event, endpoint, status, last_status, last_error }: DeliveryDetails): string {
  const to = `${id}  ${event} to ${visible(endpoint)}`;
  if (status === "delivered") return `${to}: delivered (answered ${last_status})`;
  const later = status === "pending" ? "; it will be tried again" : "";
  return `${to}: not delivered: ${visible(last_error ?? "it was not sent")}${later}`;
}
