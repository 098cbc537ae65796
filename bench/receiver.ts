/** Starts the dashboard that a benchmark forwards to, in a separate process. */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDiscovery } from "#core/forward/discovery";
import type { Received } from "./stand-in.ts";

const STAND_IN = join(import.meta.dirname, "stand-in.ts");
const HERMES = join(import.meta.dirname, "../cli/bin.js");
const START_MS = 30_000;

export type DashboardKind = "stand-in" | "hermes";

export interface Receiver extends Disposable {
  /** The home with its discovery file. */
  readonly home: string;
  readonly url: string;
  /** The process that receives the events, which can be stopped and resumed. */
  readonly pid: number;
  /** What was received since the last call. */
  received(): Promise<Received>;
}

/** Starts a stand-in, or the real dashboard with a subscriber to its event stream. */
export async function startReceiver(kind: DashboardKind): Promise<Receiver> {
  const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
  const children: ChildProcess[] = [];
  const dispose = () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const dashboard = kind === "hermes" ? await startHermes(home, children) : null;
    const counter = fork(STAND_IN, dashboard === null ? [home] : [home, "--read"], { serialization: "json" });
    children.push(counter);
    await within(once(counter, "message"));
    const { dashboard: found } = readDiscovery(join(home, "dashboard.json"), { env: {} });
    return {
      home,
      url: found!.url,
      pid: (dashboard ?? counter).pid!,
      async received() {
        counter.send("stock");
        const [stock] = (await within(once(counter, "message"))) as [Received];
        return stock;
      },
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function startHermes(home: string, children: ChildProcess[]): Promise<ChildProcess> {
  const dashboard = spawn(process.execPath, [HERMES, "--home", home, "dashboard", "--port", "0"], { stdio: "ignore" });
  children.push(dashboard);
  const deadline = performance.now() + START_MS;
  while (!existsSync(join(home, "dashboard.json"))) {
    if (performance.now() > deadline || dashboard.exitCode !== null) throw new Error("hermes dashboard did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return dashboard;
}

async function within<Value>(value: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("the receiver does not answer")), START_MS);
  try {
    return await Promise.race([value, promise]);
  } finally {
    clearTimeout(timer);
  }
}
