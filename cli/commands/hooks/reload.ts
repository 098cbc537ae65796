/** `hermes hooks reload`: every running process of the home applies changes now. */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, problemOf } from "#core/errors";
import type { CliContext } from "#cli/context";
import { requestReloads, type ReloadAnswer } from "#cli/reload-requests";

/** Asks, waits and prints; ends with 1 if a process kept a previous version, with 4 if none is running. */
export async function reloadHooks(json: boolean, command: Command, context: CliContext): Promise<void> {
  const { run, home } = context.paths(command);
  const processes = await ask(run);
  if (json) context.json({ processes });
  if (processes.length === 0) throw new HermesError("HERMES_NOTHING_RUNS", { home });
  if (!json) context.out(processes.map(describe).join("\n"));
  if (processes.some(({ ok }) => !ok)) context.exit(EXIT.failed);
}

async function ask(run: string): Promise<readonly ReloadAnswer[]> {
  try {
    return await requestReloads(run);
  } catch (error) {
    throw new HermesError("HERMES_RELOAD_REQUEST", { folder: run, problem: problemOf(error) }, { cause: error });
  }
}

function describe({ pid, command, ok, changes, problems }: ReloadAnswer): string {
  const done = changes.length === 0 ? "no changes" : changes.map(visible).join("; ");
  const outcome = ok ? done : `not everything was applied${changes.length === 0 ? "" : `; ${done}`}`;
  return [`${pid} ${visible(command)}: ${outcome}`, ...problems.map((problem) => `  ${visible(problem)}`)].join("\n");
}
