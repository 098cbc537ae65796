/** The protocol between the host and a handler's thread. Both sides import this file. */
import type { MessagePort } from "node:worker_threads";
import type { KeptSources } from "#core/extensions/sources";
import type { OutputLevel } from "#core/ports/tier";

/** The start parameters of a thread. */
export interface ThreadStart {
  readonly port: MessagePort;
  /** The real path of the hook's folder. */
  readonly folder: string;
  /** The real path of the handler's file. */
  readonly handler: string;
  /** The files of this version of the hook. */
  readonly sources: KeptSources;
  /** NODE_COMPILE_CACHE was set for the start of this thread only. */
  readonly ownCache: boolean;
}

/** Host to thread: an event and its context as JSON. The next one is sent after the answer to this one. */
export type EventMessage = readonly [event_type: string, context: string];

/** Thread to host: plain data that the thread's own code creates. */
export type ThreadMessage =
  /** The handler finished: its answer as JSON, or null. Sent as is, because it is the most common message. */
  | string
  | null
  /** It threw, rejected, or returned something that is not plain data. */
  | { readonly kind: "failed"; readonly problem: string }
  /** Its module could not be loaded, or has no `handle`. */
  | { readonly kind: "unusable"; readonly problem: string }
  /** It printed a line. */
  | { readonly kind: "output"; readonly level: OutputLevel; readonly text: string }
  /** An error that nothing caught. */
  | { readonly kind: "stray"; readonly problem: string };
