import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import type { Delivery, DeliveryStore } from "#core/ports/deliveries";
import { elapsed } from "#core/age";
import type { CliContext } from "#cli/context";
import { printList, type Column, type Row } from "#cli/list";
import { wholeId } from "#core/short-id";
import { withWebhooks } from "./store.ts";

export interface DeliveriesOptions {
  readonly failed?: true;
  readonly pending?: true;
  readonly endpoint?: string;
  readonly limit: number;
  readonly json?: true;
}

/** `hermes webhooks deliveries` */
export function listDeliveries(options: DeliveriesOptions, command: Command, context: CliContext): Promise<void> {
  return withWebhooks(command, context, async ({ store }) => {
    const { endpoint, limit } = options;
    const status = options.failed ? "failed" : options.pending ? "pending" : undefined;
    const deliveries = await store.list({ status, endpoint, limit });
    if (options.json) return context.json({ deliveries });
    if (deliveries.length === 0) return context.out("No deliveries.");
    const now = Date.now();
    printList(
      context,
      COLUMNS,
      deliveries.map((one) => rowOf(one, now)),
    );
  });
}

const COLUMNS: readonly Column[] = [
  { head: "DELIVERY" },
  { head: "CREATED", kind: "time" },
  { head: "ENDPOINT" },
  { head: "EVENT", isOptional: true },
  { head: "STATUS", kind: "state" },
  { head: "ATTEMPTS" },
  { head: "REMARK", kind: "line" },
];

function rowOf(one: Delivery, now: number): Row {
  const { id, created_at, endpoint, event, status, attempts } = one;
  return [id, created_at, visible(endpoint), event, status, String(attempts), remarkOn(one, now)];
}

function remarkOn({ status, attempts, last_error, next_attempt_at: next }: Delivery, now: number): string {
  const error = last_error ?? "";
  if (status !== "pending" || attempts === 0 || next === null) return error;
  const seconds = Math.ceil((Date.parse(next) - now) / 1000);
  return `${seconds > 0 ? `again in ${elapsed(seconds)}` : "again now"}; ${error}`;
}

/** `hermes webhooks show ID` */
export function showDelivery(written: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  return withWebhooks(command, context, async ({ store }) => {
    const found = await store.get(await deliveryId(written, store));
    if (found === undefined) return;
    const { payload: text, history, ...delivery } = found;
    const payload: unknown = JSON.parse(text);
    if (json) return context.json({ ...delivery, payload, history });
    const { id, event, endpoint, status, created_at } = delivery;
    context.out(`${id}  ${event} to ${visible(endpoint)}: ${status}, created ${created_at}`);
    for (const attempt of history) {
      const outcome = attempt.error === null ? `answered ${attempt.status}` : visible(attempt.error);
      context.out(`  ${attempt.at}  ${outcome} (${attempt.duration_ms} ms)`);
    }
    context.out(`\n${JSON.stringify(payload, null, 2).split("\n").map(visible).join("\n")}`);
  });
}

/** The whole id of a delivery. Throws HERMES_ID_UNKNOWN and HERMES_ID_AMBIGUOUS. */
export function deliveryId(written: string, store: DeliveryStore): Promise<string> {
  const kind = { noun: "delivery", list: "hermes webhooks deliveries", find: (start: string) => store.find(start) };
  return wholeId(written, kind);
}
