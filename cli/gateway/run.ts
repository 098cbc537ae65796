/** `hermes gateway`: everything that meets in it, from its start to its drain. */
import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { HermesError } from "#core/errors";
import type { Adapter } from "#core/ports";
import { install_as_default } from "#core/registry";
import type { ApiServer } from "#gateway/adapters/api-server";
import { COMMAND_NAMES } from "#gateway/commands";
import { createGateway, type Gateway } from "#gateway/gateway";
import { exitCodeOf } from "../chat/conversation.ts";
import { noticeOf } from "../chat/notices.ts";
import { createHost, type Host } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { watchHost } from "../watch.ts";
import { openFolders } from "./folders.ts";
import { checkPlatforms, Platforms } from "./platforms.ts";
import { claimGateway } from "./single.ts";

/** How long the turns that run may go on after SIGTERM. */
const DRAIN_MS = 30_000;
/** How long gateway hooks may take for what they were handed before the end. */
const LAST_EVENTS_MS = 5000;

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runGateway(command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const globals = context.globals(command);
  const stopped = untilSignal(context);
  keepMemoryFlat();
  await using undo = new AsyncDisposableStack();
  undo.defer(claimGateway(paths.run));
  const host = undo.use(
    await createHost({
      context,
      globals,
      paths,
      surface: "gateway",
      interactive: process.stdin.isTTY && process.stderr.isTTY,
      commandNames: COMMAND_NAMES,
      check: checkPlatforms,
    }),
  );
  install_as_default(host.registry);
  host.dispatcher.sinks.add((run) => {
    const notice = noticeOf(run);
    if (notice !== undefined) context.note(notice);
  });
  const platforms = new Platforms(host);
  const adapters = await platforms.adapters();
  if (adapters.length === 0) throw new HermesError("HERMES_GATEWAY_NO_PLATFORM", { file: paths.config });
  const folders = undo.use(await openFolders(host, { safeMode: globals.safeMode, env: context.env }));
  const gateway = openGateway(host, platforms);
  undo.defer(async () => {
    await gateway.drain(DRAIN_MS);
    await folders.drain(LAST_EVENTS_MS);
  });
  await gateway.start(adapters);
  undo.defer(await watchHost(host));
  announce(adapters, context);
  await stopped;
  const turns = gateway.active();
  if (turns > 0) context.note(`Ending when ${turns === 1 ? "the turn that runs has" : `${turns} turns have`} ended …`);
}

function openGateway(host: Host, platforms: Platforms): Gateway {
  const { runner, dispatcher, registry, sessions, database, model, log, mirror } = host;
  const gateway = createGateway({
    runner,
    dispatcher,
    registry,
    sessions,
    database,
    model,
    log,
    // What a platform says of itself may hold its address, and that its token.
    warn: (sentence) => host.warn(host.redact(sentence)),
    settings: () => host.config.values.gateway ?? {},
    commands: () => host.plugins.commands(),
    onFrame: mirror,
  });
  host.setDeliver(({ text }) => gateway.deliver(text));
  host.onReload(async () => gateway.setAdapters(await platforms.adapters()));
  return gateway;
}

/**
 * V8 lets garbage grow to a multiple of what lives where the machine has memory to spare: 350 MB after a thousand
 * messages of which 35 live. A gateway runs for months beside other programs: it collects sooner and stays at 150.
 */
function keepMemoryFlat(): void {
  setFlagsFromString("--optimize-for-size");
}

/** Says where the gateway is reached, on standard output: it is what the command was started for. */
function announce(adapters: readonly Adapter[], context: CliContext): void {
  for (const adapter of adapters) {
    const address = "address" in adapter ? (adapter as Adapter & Pick<ApiServer, "address">).address() : undefined;
    if (address !== null) context.out(`${adapter.name}${address === undefined ? "" : `: ${address.url}/v1`}`);
  }
  context.note("The gateway runs; Ctrl+C ends it.");
}

/** Resolves at the first signal; the next one ends the program at once. */
function untilSignal(context: CliContext): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (asked) {
          context.note("Cut short.");
          process.exit(exitCodeOf(signal));
        }
        asked = true;
        resolve();
      });
    }
  });
}
