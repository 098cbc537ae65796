import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Figure, Work } from "./topic.ts";

const BIN = resolve(import.meta.dirname, "../../cli/bin.js");

/** Run in the command's process before it: writes what the whole process took to a file when it ends. */
const REPORTER = `data:text/javascript,${encodeURIComponent(`
  import { writeFileSync } from "node:fs";
  process.on("exit", () => writeFileSync(process.env.HERMES_GROWTH_REPORT, JSON.stringify(process.resourceUsage())));
`)}`;

/** A whole run of `hermes ARGS` in a home, and the most memory that it took. */
export function command(args: readonly string[], home: string): Work {
  const report = join(home, "growth-report.json");
  const env = { ...process.env, HERMES_HOME: home, HERMES_GROWTH_REPORT: report };
  const run = (): Figure => {
    const { status, stderr } = spawnSync(process.execPath, ["--import", REPORTER, BIN, ...args], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (status !== 0) throw new Error(`hermes ${args.join(" ")} ended with ${status}: ${stderr}`);
    const usage = JSON.parse(readFileSync(report, "utf8")) as NodeJS.ResourceUsage;
    return { ms: (usage.userCPUTime + usage.systemCPUTime) / 1000, megabytes: usage.maxRSS / 1024 };
  };
  return { once: run, rounds: 3 };
}
