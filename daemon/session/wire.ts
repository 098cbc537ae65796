/** What is said over the socket of a session that stays: one JSON object a line, in both directions. */
import type { ErrorCode } from "#core/errors";
import type { Frame } from "#core/frames";
import { isMapping } from "#core/mapping";
import type { RunningState } from "#core/ports/daemon-directory";
import type { Handled } from "#core/ports/inbox";

/** A message may be this long, in bytes of UTF-8. */
export const LONGEST_MESSAGE = 1024 * 1024;
/** A byte of a message takes at most six characters in JSON. */
export const LONGEST_LINE = 6 * LONGEST_MESSAGE + 1024;

export type DaemonRequest =
  /** Answered with `stored`, and with `wait` then with `handled`. */
  | { readonly type: "send"; readonly content: string; readonly wait: boolean }
  /** Answered with `status`. */
  | { readonly type: "status" }
  /** Answered with `stopping`; the socket is closed when it has stopped. */
  | { readonly type: "stop" }
  /** Answered with `attached`, then with a `frame` for each frame until either side closes. */
  | { readonly type: "attach" }
  /** Something was stored that the session should look at. Answered with `woken`. */
  | { readonly type: "wake" };

export interface DaemonStatus {
  readonly name: string;
  readonly session_id: string;
  readonly pid: number;
  readonly state: RunningState;
  /** Messages that wait. */
  readonly queued: number;
  readonly hooks: readonly string[];
  readonly started_at: string;
}

export type DaemonAnswer =
  | { readonly type: "stored"; readonly id: string }
  | ({ readonly type: "handled"; readonly id: string } & Handled)
  | ({ readonly type: "status" } & DaemonStatus)
  | { readonly type: "stopping" }
  | { readonly type: "attached"; readonly session_id: string }
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "woken" }
  | { readonly type: "refused"; readonly code: ErrorCode; readonly problem: string };

/** Reads a line. Returns a sentence about what is wrong with it instead. */
export function parseRequest(line: string): DaemonRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The reader is told, and the session goes on.
    return "the line is not JSON";
  }
  if (!isMapping(value)) return "the line is not a JSON object";
  const { type, content, wait = false } = value;
  switch (type) {
    case "status":
    case "stop":
    case "attach":
    case "wake":
      return { type };
    case "send":
      if (typeof content !== "string") return '"content" must be a string';
      if (typeof wait !== "boolean") return '"wait" must be true or false';
      return contentProblem(content) ?? { type, content, wait };
    default:
      return '"type" must be one of send, status, stop, attach, wake';
  }
}

/** What is wrong with a message, to be shown to its sender; undefined for a valid one. */
export function contentProblem(content: string): string | undefined {
  if (content.trim() === "") return "the message is empty";
  if (Buffer.byteLength(content) > LONGEST_MESSAGE) return "the message is larger than 1 MiB";
  return undefined;
}
