/**
 * The protocol of a handler's process. The program talks to the handler's thread directly, over descriptor 4 in frames
 * of `core/binary-frames.ts`, because passing events on from the process's main thread would double their time.
 * Descriptor 3 belongs to the main thread, which watches the handler's thread and ends with the program.
 */
import type { KeptSources } from "#core/extensions/sources";
import type { OutputLevel } from "#core/ports/tier";

export const CONTROL_DESCRIPTOR = 3;
export const THREAD_DESCRIPTOR = 4;

/** From the program to a process: its only message, serialized with `node:v8`, after its length in 4 bytes. */
export interface ProcessStart extends HandlerFiles {
  readonly memoryMb: number;
  /** The variable that marks descendants of a run, and its value in the program's environment. */
  readonly marker: { readonly name: string; readonly value: string | null };
}

interface HandlerFiles {
  /** The real path of the hook's folder. */
  readonly folder: string;
  /** The real path of the handler's file. */
  readonly handler: string;
  /** The files of this version of the hook. */
  readonly sources: KeptSources;
  /** NODE_COMPILE_CACHE was set for the start of the process and its thread only. */
  readonly ownCache: boolean;
}

/** What the main thread passes to the handler's thread. */
export interface ThreadStart extends HandlerFiles {
  /** Four bytes: 1 while an event is being handled. */
  readonly busy: SharedArrayBuffer;
}

/** From the main thread to the program. */
export type ProcessMessage =
  /** The process is running, and its thread starts. */
  | { readonly type: "ready" }
  /** The last message: why the process ends. A clause whose "it" is the handler. */
  | { readonly type: "ends"; readonly problem: string };

/**
 * From the thread to the program, which sends frames whose head is the event and whose body is its context as JSON, the
 * next one after the answer. With null, the body is the answer as JSON, empty for none. */
export type ThreadMessage =
  | null
  /** The module was loaded; the first event's deadline starts. */
  | { readonly kind: "loaded" }
  /** It threw, rejected, or returned something that is not plain data. */
  | { readonly kind: "failed"; readonly problem: string }
  /** Its module could not be loaded, or has no `handle`. */
  | { readonly kind: "unusable"; readonly problem: string }
  /** It printed a line. */
  | { readonly kind: "output"; readonly level: OutputLevel; readonly text: string }
  /** An error that nothing caught. */
  | { readonly kind: "stray"; readonly problem: string };
