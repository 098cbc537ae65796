/** Puts what scripts print into the inbox. */
import { markUntrusted } from "./untrusted.ts";

/** The id of a request, and what it belongs to. */
export interface DedupKey {
  readonly scope: string;
  readonly id: string;
}

/** As much of the inbox as webhooks need. */
export interface WebhookInbox {
  add(message: {
    readonly session: string;
    readonly source: "webhook";
    readonly label: string;
    readonly content: string;
    readonly dedup: readonly DedupKey[];
  }): Promise<{ readonly kind: "stored" | "full" | "duplicate" }>;
  remember(keys: readonly DedupKey[]): Promise<void>;
  isRemembered(key: DedupKey): Promise<boolean>;
}

/** The key of a request's id. */
export function requestKey(hook: string, id: string): DedupKey {
  return { scope: `inbound:${hook}`, id };
}

/** The key of an asynchronous run, whose message must not come twice when a crash comes between it and the run's end. */
export function runKey(id: string): DedupKey {
  return { scope: "inbound-run", id };
}

export interface WebhookMessage {
  readonly session: string;
  readonly hook: string;
  readonly text: string;
  readonly dedup: readonly DedupKey[];
}

/** Stores the text, marked as untrusted. Rejects with what the store throws. */
export async function deliver(
  inbox: WebhookInbox,
  { session, hook, text, dedup }: WebhookMessage,
): Promise<"stored" | "full" | "duplicate"> {
  const content = markUntrusted(hook, text);
  return (await inbox.add({ session, source: "webhook", label: hook, content, dedup })).kind;
}
