import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { withDeadline } from "#core/deadline";
import { HermesError, problemOf } from "#core/errors";
import { isAlive } from "#core/process-identity";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon, type DaemonEntry } from "#daemon/session/place";
import type { CliContext } from "../context.ts";
import { stopElsewhere } from "#cli/daemon/elsewhere";
import { checkedName, withRunningDaemon } from "#cli/daemon/find";

const EXAMPLES = `
Examples:
  hermes stop --name ci-watcher     let its running turn end, then stop it

Messages that wait stay in its inbox for the next start.`;

const ANSWER_MS = 2000;
const LOOK_MS = 50;
/** The drain's 30 s, and the time that its last hooks may take. */
const LONGEST_MS = 45_000;

/** `hermes stop` (CONTRACT §13). */
export function addStopCommand(program: Command, context: CliContext): void {
  program
    .command("stop")
    .description("Stop a daemon. Its running turn has 30 seconds to end.")
    .requiredOption("--name <name>", "the daemon")
    .addHelpText("after", EXAMPLES)
    .action(async (options: { name: string }, command: Command) => {
      const name = checkedName(options.name, "hermes stop --name ci-watcher");
      await withRunningDaemon(name, command, context, async (found) => {
        if (found.kind === "elsewhere") await stopElsewhere(found);
        else await stopHere(found.entry, context.paths(command).run);
      });
      context.out(`The daemon "${visible(name)}" has stopped.`);
    });
}

async function stopHere(entry: DaemonEntry, run: string): Promise<void> {
  const asked = await withDeadline(ANSWER_MS, () => ask(entry), { keepsAlive: false });
  if (asked.kind !== "value") signal(entry, asked.kind === "thrown" ? problemOf(asked.error) : "it is too busy");
  await untilStopped(entry, run);
}

async function ask(entry: DaemonEntry): Promise<void> {
  using client = await DaemonClient.connect(entry);
  client.say({ type: "stop" });
  await client.expect("stopping");
}

/** Whatever keeps it from answering, a signal reaches it, unless it shares its process with others. */
function signal({ name, pid, process_start, owns_process }: DaemonEntry, problem: string): void {
  if (!isAlive(pid, process_start)) return;
  if (!owns_process) throw new HermesError("HERMES_DAEMON_ANSWER", { name, problem });
  process.kill(pid, "SIGTERM");
}

/** Resolves when the session has ended, with its process if it has one of its own. Throws HERMES_DAEMON_ANSWER. */
async function untilStopped(entry: DaemonEntry, run: string): Promise<void> {
  const { name, pid, process_start, started_at, owns_process } = entry;
  const deadline = performance.now() + LONGEST_MS;
  const isRunning = () =>
    owns_process ? isAlive(pid, process_start) : findDaemon(run, name)?.started_at === started_at;
  while (isRunning()) {
    if (performance.now() > deadline) {
      throw new HermesError("HERMES_DAEMON_ANSWER", { name, problem: `it is still running (pid ${pid})` });
    }
    await pause(LOOK_MS);
  }
}
