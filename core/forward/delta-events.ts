/** Reads and changes the text of an event, which may come from anywhere and be of any shape. */
import type { EventContext } from "#core/registry";
import type { QueuedEvent } from "./queued-event.ts";

/** The session of an event; null for none. */
export function sessionOf(context: EventContext): string | null {
  try {
    const { session_id } = context;
    return typeof session_id === "string" ? session_id : null;
  } catch {
    // A getter threw, so it is not one of our events.
    return null;
  }
}

/** The text of an event's payload; null for none. */
export function textOf(context: EventContext): string | null {
  try {
    const { text } = context["payload"] as { text?: unknown };
    return typeof text === "string" ? text : null;
  } catch {
    // No payload, or a getter threw.
    return null;
  }
}

/** The same event with another text. */
export function withText({ event_type, context, number }: QueuedEvent, text: string): QueuedEvent {
  return { event_type, number, context: { ...context, payload: { ...(context["payload"] as object), text } } };
}
