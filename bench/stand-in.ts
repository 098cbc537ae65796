/**
 * A dashboard for benchmarks that does nothing with events: it writes the discovery file of the given home, counts
 * frames and reports to its parent. `node bench/stand-in.ts HOME`, started with an IPC channel. With `--read`, it
 * subscribes to the real dashboard of that home and counts its events instead.
 */
import { createHistogram } from "node:perf_hooks";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readDiscovery } from "#core/forward/discovery";

/** What was received since the last request. */
export interface Received {
  readonly frames: number;
  /** Frames that arrived twice, or before an earlier one of their session. */
  readonly disordered: number;
  /** The sender's total of drops. */
  readonly dropped: number;
  /** Milliseconds from emission to here. */
  readonly p50: number;
  readonly p99: number;
}

interface Context {
  /** Sequence number, starting at 0. */
  readonly n?: number;
  readonly session_id?: string;
  /** When it was emitted, in milliseconds since 1970 with fractions. */
  readonly at?: number;
}

const TOKEN = "bench";
const latency = createHistogram();
const last = new Map<string, number>();
let [received, disordered, dropped] = [0, 0, 0];

function count({ n, at, session_id = "" }: Context): void {
  received++;
  if (n === undefined || at === undefined) return;
  if (n <= (last.get(session_id) ?? -1)) disordered++;
  last.set(session_id, n);
  const microseconds = (performance.timeOrigin + performance.now() - at) * 1000;
  latency.record(Math.max(1, Math.round(microseconds)));
}

function takeStock(): Received {
  const [p50, p99] = [latency.percentile(50) / 1000, latency.percentile(99) / 1000];
  const stock = { frames: received, disordered, dropped, p50, p99 };
  [received, disordered] = [0, 0];
  latency.reset();
  return stock;
}

function serve(home: string): void {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.method === "GET") {
      response.end('{"ok":true}');
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { context: Context } | { context: Context }[];
      dropped = Number(request.headers["x-hermes-dropped"] ?? 0);
      const frames = Array.isArray(body) ? body : [body];
      for (const { context } of frames) count(context);
      response.end(Array.isArray(body) ? `{"ok":true,"accepted":${frames.length}}` : '{"ok":true}');
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const document = { url, hooks_ingest_token: TOKEN, pid: process.pid, started_at: new Date().toISOString() };
    const file = join(home, "dashboard.json");
    writeFileSync(`${file}.tmp`, JSON.stringify(document), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
    process.send?.("ready");
  });
}

/** Follows the event stream of a real dashboard. */
async function subscribe(home: string): Promise<void> {
  const { dashboard, problem } = readDiscovery(join(home, "dashboard.json"), { env: {} });
  if (dashboard === null) throw new Error(problem ?? "there is no dashboard");
  const { body } = await fetch(`${dashboard.url}/api/events`, {
    headers: { authorization: `Bearer ${dashboard.token}` },
  });
  process.send?.("ready");
  let rest = "";
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:")) count((JSON.parse(line.slice(5)) as { context: Context }).context);
    }
  }
}

const [home, mode] = process.argv.slice(2);
process.on("message", () => process.send?.(takeStock()));
process.on("disconnect", () => process.exit());
if (mode === "--read") await subscribe(home!);
else serve(home!);
