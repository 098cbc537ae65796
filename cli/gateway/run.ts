/** `hermes gateway`, from its start to its drain. */
import type { Command } from "#cli/command-line/command";
import { EXIT, HermesError } from "#core/errors";
import { noticeOf } from "../chat/notices.ts";
import { createHost } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { claimHome } from "../home-claim.ts";
import type { Host } from "../host/host.ts";
import { keepMemoryFlat } from "../memory.ts";
import { untilStopped } from "../shutdown.ts";
import { isWaitingForDatabase } from "../storage.ts";
import { watchHost } from "../watch.ts";
import { createAnnouncer } from "./announcer.ts";
import { openGateway } from "./open.ts";

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runGateway(command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const globals = context.globals(command);
  let isStarted = false;
  const stopped = untilStopped(
    (code) => {
      context.note("Stopped.");
      process.exit(code);
    },
    () => {
      // Nothing has begun that could be drained.
      if (!isStarted && isWaitingForDatabase()) process.exit(EXIT.ok);
    },
  );
  keepMemoryFlat();
  await using undo = new AsyncDisposableStack();
  undo.defer(claimHome({ role: "gateway", run: paths.run, warn: context.warn }));
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const host = undo.use(await createHost({ context, globals, paths, surface: "gateway", interactive }));
  showRuns(host, context);
  const announcer = createAnnouncer(context.out);
  const { safeMode } = globals;
  const show = context.styled;
  const gateway = openGateway({ host, safeMode, env: context.env, onLive: announcer.add, show });
  const adapters = await gateway.adapters();
  if (adapters.length === 0) throw new HermesError("HERMES_GATEWAY_NO_PLATFORM", { file: paths.config });
  undo.defer(() => gateway.drain());
  isStarted = true;
  await gateway.start(adapters);
  undo.defer(await watchHost(host));
  announcer.open();
  gateway.showHooks();
  context.note("The gateway is running. Press Ctrl+C to stop it.");
  await stopped;
  tellTurns(gateway.active() + host.pluginTurns.active, context);
}

/** Shows what hooks did. Reports a misconfigured model now instead of to the first user. */
export function showRuns(host: Host, context: CliContext): void {
  host.model.describe();
  host.dispatcher.sinks.add((run) => {
    const notice = noticeOf(run);
    if (notice !== undefined) context.note(notice);
  });
}

/** Says how many turns a drain waits for. */
export function tellTurns(turns: number, context: CliContext): void {
  if (turns > 0) context.note(`Waiting for ${turns === 1 ? "1 running turn" : `${turns} running turns`} to finish …`);
}
