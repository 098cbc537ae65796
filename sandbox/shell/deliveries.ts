/**
 * Where an observer of another program may change what the model sees (Claude Code's PostToolUse and the tool's result,
 * its SessionStart and the first message): a second hook, at the event that can, gives what the script of the first one
 * answered. It runs nothing.
 */
import { declarationOf, type EventName } from "#core/events";
import { NO_REPLY, type Firing, type Hook } from "#core/ports/hook";
import type { ShellEntry } from "./entries.ts";
import { createShellHook, type DeferredAnswer, type ShellHook, type ShellHookDependencies } from "./hook.ts";
import { PROTOCOLS } from "./protocols.ts";

/** More are never waiting unless firings are lost. */
const MOST_WAITING = 100;

/** What waits for the event that takes it, by event, session and call; in the order of the entries. */
export class Deliveries {
  readonly #waiting = new Map<string, { readonly index: number; readonly delivery: DeferredAnswer }[]>();

  put(event: EventName, firing: Firing, index: number, delivery: DeferredAnswer): void {
    const key = keyOf(event, firing);
    if (this.#waiting.size >= MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value ?? "");
    const list = this.#waiting.get(key) ?? [];
    this.#waiting.set(
      key,
      [...list, { index, delivery }].toSorted((one, other) => one.index - other.index),
    );
  }

  has(firing: Firing): boolean {
    return this.#waiting.has(keyOf(firing.event, firing));
  }

  /** The first replacement and all additions; nothing waits afterwards. */
  take(firing: Firing): DeferredAnswer {
    const key = keyOf(firing.event, firing);
    const list = (this.#waiting.get(key) ?? []).map(({ delivery }) => delivery);
    this.#waiting.delete(key);
    const additions = list.map(({ addition }) => addition).filter((text) => text !== undefined);
    return {
      replacement: list.find(({ replacement }) => replacement !== undefined)?.replacement,
      addition: additions.length === 0 ? undefined : additions.join("\n\n"),
    };
  }
}

/**
 * The hook of an entry and, where its protocol lets it change what the model sees, the hook that does. What several
 * entries say about one call comes in one text when they share `deliveries`.
 */
export function createEntryHooks(
  entry: ShellEntry,
  dependencies: ShellHookDependencies,
  deliveries: Deliveries = new Deliveries(),
): readonly [ShellHook, ...Hook[]] {
  const event = PROTOCOLS[entry.protocol].deliversAt(entry.event, entry.protocolEvent);
  if (event === undefined) return [createShellHook(entry, dependencies)];
  const onDelivery = (firing: Firing, delivery: DeferredAnswer) => deliveries.put(event, firing, entry.index, delivery);
  const hook = createShellHook(entry, { ...dependencies, onDelivery });
  return [hook, createDeliveringHook(hook, event, deliveries)];
}

function createDeliveringHook(hook: Hook, event: EventName, deliveries: Deliveries): Hook {
  return {
    ...hook,
    event,
    onFailure: "skip",
    sideBySide: false,
    background: false,
    derived: true,
    matches: (firing) => deliveries.has(firing),
    run(firing) {
      const answer = deliveredAnswer(event, firing, deliveries.take(firing));
      return answer === undefined ? NO_REPLY : { dialect: "shell", answer };
    },
  };
}

/** What a delivery comes to as an answer to the event that takes it; at a tool's result, additions follow that. */
export function deliveredAnswer(
  event: EventName,
  { payload }: Pick<Firing, "payload">,
  { replacement, addition }: DeferredAnswer,
): { readonly text: string } | { readonly context: string } | undefined {
  const texts = [
    replacement ?? (addition === undefined ? undefined : (payload as { result?: unknown }).result),
    addition,
  ];
  const text = texts.filter((each) => typeof each === "string").join("\n\n");
  if (replacement === undefined && addition === undefined) return undefined;
  return declarationOf(event).kind === "context" ? { context: text } : { text };
}

function keyOf(event: EventName, { payload, session_id }: Firing): string {
  return `${event} ${session_id} ${String((payload as { tool_call_id?: unknown }).tool_call_id)}`;
}
