/** What the host and a handler's thread say to each other. Both sides import this file. */
import type { MessagePort } from "node:worker_threads";

/** What a thread is started with. */
export interface ThreadStart {
  readonly port: MessagePort;
  /** The real path of the hook's folder. */
  readonly folder: string;
  /** The real path of the handler's file. */
  readonly handler: string;
}

/** Host to thread: an event and its context, which is JSON. The next one goes when the answer to this one has come. */
export type EventMessage = readonly [event_type: string, context: string];

export type OutputLevel = "debug" | "info" | "warn" | "error";

/** Thread to host. All of it is plain data that the thread's own code has made. */
export type ThreadMessage =
  /** The handler ended: its answer as JSON, null for none. Nothing around it, because most messages are this one. */
  | string
  | null
  /** It threw, rejected, or answered what is no data. */
  | { readonly kind: "failed"; readonly problem: string }
  /** Its module could not be loaded, or has no `handle`. */
  | { readonly kind: "unusable"; readonly problem: string }
  /** It printed a line. */
  | { readonly kind: "output"; readonly level: OutputLevel; readonly text: string }
  /** It left an error behind that nobody caught. */
  | { readonly kind: "stray"; readonly problem: string };
