/** The protocol between the program and a process that hosts isolates, in frames of `core/binary-frames.ts`. */
import type { OutputLevel } from "#core/ports/tier";

/** What a handler may do; its isolate starts with these settings. */
export interface GuestSettings {
  readonly memoryMb: number;
  readonly fetch: boolean;
  readonly kv: boolean;
  /** Null without a grant. */
  readonly env: Readonly<Record<string, string>> | null;
}

/** From the program to the process. `guest` is the number of a hook's isolate in that process. */
export type ToHost =
  /** Loads what the first handler needs. */
  | { readonly type: "prepare" }
  /** Creates an isolate and loads the handler; body: the source of `file`. */
  | {
      readonly type: "load";
      readonly guest: number;
      readonly file: string;
      readonly settings: GuestSettings;
      /** The time left to the deadline of the run that loads it. */
      readonly remainingMs: number;
    }
  /** Answers an `import`; body: the module's source. */
  | { readonly type: "module"; readonly guest: number; readonly request: number; readonly file: string }
  /** Rejects an `import`; body: the reason. */
  | { readonly type: "no_module"; readonly guest: number; readonly request: number }
  /** Calls the handler; body: the context as JSON. */
  | {
      readonly type: "run";
      readonly guest: number;
      readonly run: number;
      readonly event: string;
      /** The time left to the run's deadline. */
      readonly remainingMs: number;
    }
  /** Answers a `call`; body: the value as JSON, or what went wrong. */
  | { readonly type: "reply"; readonly guest: number; readonly call: number; readonly ok: boolean }
  /** Disposes of the isolate, whatever it is doing. */
  | { readonly type: "end"; readonly guest: number };

/** From the process to the program. */
export type FromHost =
  | { readonly type: "ready" }
  /** Requests the module that `from` imports. */
  | {
      readonly type: "import";
      readonly guest: number;
      readonly request: number;
      readonly specifier: string;
      readonly from: string;
    }
  | { readonly type: "loaded"; readonly guest: number }
  /** The handler cannot be loaded; body: the reason. `tainted` when the process can load nothing any more. */
  | { readonly type: "unusable"; readonly guest: number; readonly file: string; readonly tainted: boolean }
  /** From now on the handler may have had effects. */
  | { readonly type: "begun"; readonly guest: number; readonly run: number }
  /** Body: the answer as JSON. */
  | { readonly type: "answer"; readonly guest: number; readonly run: number }
  /** Body: the handler's error, as a sentence. */
  | { readonly type: "failed"; readonly guest: number; readonly run: number }
  /** Requests something that the handler was granted; body: the arguments as JSON. */
  | { readonly type: "call"; readonly guest: number; readonly call: number; readonly method: string }
  /** Body: the handler's output. */
  | { readonly type: "output"; readonly guest: number; readonly level: OutputLevel }
  /** Body: an uncaught error of the handler. */
  | { readonly type: "stray"; readonly guest: number }
  /** The isolate is gone and the process continues; body: the reason. */
  | { readonly type: "lost"; readonly guest: number }
  /** The isolate is gone because of `end`. */
  | { readonly type: "ended"; readonly guest: number }
  /** The last frame of a process that must exit, with the isolate that caused it; body: the reason. */
  | { readonly type: "fatal"; readonly guest: number | null };
