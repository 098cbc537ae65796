/** What tests of processes ask the system, and how they end them. */
import { existsSync, readFileSync } from "node:fs";
import type { Ended, Running } from "./hermes.ts";
import { until } from "./poll.ts";

/** True for a process that runs; a zombie that nobody has collected does not. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** The pid that a fixture writes to a file, once it is there. */
export async function pidIn(file: string): Promise<number> {
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"), `a pid in ${file}`);
  return Number(readFileSync(file, "utf8"));
}

/** Ends what a failing test left behind. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended, as it should.
  }
}

/**
 * Sends the signal again and again until the program has ended, and gives how: those that come soon after an earlier
 * one are the same request, so how many it takes depends on the machine.
 */
export async function signalUntilEnded(running: Running, signal: NodeJS.Signals): Promise<Ended> {
  let hasEnded = false;
  const ended = running.ended.finally(() => (hasEnded = true));
  const sendAgain = () => {
    running.kill(signal);
    return hasEnded;
  };
  await until(sendAgain, `the program ends by ${signal}`, { seen: () => running.stderr() });
  return ended;
}
