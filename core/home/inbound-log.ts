/** `logs/inbound.jsonl`: one line for each request that an inbound webhook answered. */

export interface InboundRecord {
  /** When the request came: ISO-8601, UTC. */
  readonly time: string;
  /** The hook's name. */
  readonly hook: string;
  /** The name of the session. */
  readonly session: string;
  readonly method: string;
  readonly path: string;
  /** The status of the answer, or the one that an asynchronous run ended with. */
  readonly status: number;
  readonly exit_code: number | null;
  readonly duration_ms: number;
  /** Of an asynchronous run. */
  readonly run_id: string | null;
  /** What went wrong, with the end of the script's standard error. */
  readonly detail: string | null;
}

/** The record of a line, with exactly its keys; undefined when it is not a record. */
export function parseInboundRecord(line: string): InboundRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    // Incomplete, or not our line.
    return undefined;
  }
  const text = (key: string) => (typeof value[key] === "string" ? value[key] : null);
  const number = (key: string) => (typeof value[key] === "number" ? value[key] : null);
  const [time, hook, status] = [text("time"), text("hook"), number("status")];
  if (time === null || hook === null || status === null) return undefined;
  return {
    time,
    hook,
    session: text("session") ?? "",
    method: text("method") ?? "",
    path: text("path") ?? "",
    status,
    exit_code: number("exit_code"),
    duration_ms: number("duration_ms") ?? 0,
    run_id: text("run_id"),
    detail: text("detail"),
  };
}
