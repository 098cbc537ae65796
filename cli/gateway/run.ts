/** `hermes gateway`, from its start to its drain. */
import { setFlagsFromString } from "node:v8";
import type { Command } from "commander";
import { HermesError } from "#core/errors";
import type { Adapter } from "#core/ports/platform";
import { findPlatform } from "#gateway/adapters/table";
import { createGateway, type RunningGateway } from "#gateway/gateway";
import { noticeOf } from "../chat/notices.ts";
import { createHost } from "../compose.ts";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import { untilStopped } from "../shutdown.ts";
import { watchHost } from "../watch.ts";
import { openGatewayHooks } from "./hooks.ts";
import { ConfiguredPlatforms } from "./platforms.ts";
import { claimGateway } from "./single.ts";

/** How long running turns may continue after SIGTERM. */
const DRAIN_MS = 30_000;
/** How long gateway hooks may take for their remaining events. */
const LAST_EVENTS_MS = 5000;

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runGateway(command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const globals = context.globals(command);
  const stopped = untilStopped((code) => {
    context.note("Stopped.");
    process.exit(code);
  });
  keepMemoryFlat();
  await using undo = new AsyncDisposableStack();
  undo.defer(claimGateway(paths.run, context.warn));
  const host = undo.use(
    await createHost({
      context,
      globals,
      paths,
      surface: "gateway",
      interactive: process.stdin.isTTY && process.stderr.isTTY,
    }),
  );
  // Reports a misconfigured model now instead of to the first user.
  host.model.describe();
  host.dispatcher.sinks.add((run) => {
    const notice = noticeOf(run);
    if (notice !== undefined) context.note(notice);
  });
  const platforms = new ConfiguredPlatforms(host);
  const adapters = await platforms.adapters();
  if (adapters.length === 0) throw new HermesError("HERMES_GATEWAY_NO_PLATFORM", { file: paths.config });
  const gatewayHooks = undo.use(await openGatewayHooks(host, { safeMode: globals.safeMode, env: context.env }));
  const announcer = createAnnouncer(context);
  const gateway = openGateway(host, platforms, announcer.add);
  undo.defer(async () => {
    await gateway.drain(DRAIN_MS);
    await gatewayHooks.drain(LAST_EVENTS_MS);
  });
  await gateway.start(adapters);
  undo.defer(await watchHost(host));
  announcer.open();
  context.note("The gateway is running. Press Ctrl+C to stop it.");
  await stopped;
  const turns = gateway.active() + host.pluginTurns.active;
  if (turns > 0) context.note(`Waiting for ${turns === 1 ? "1 running turn" : `${turns} running turns`} to finish …`);
}

function openGateway(host: Host, platforms: ConfiguredPlatforms, onLive: Announcer["add"]): RunningGateway {
  const { runner, dispatcher, registry, sessions, database, model, log, pluginTurns } = host;
  const gateway = createGateway({
    runner,
    dispatcher,
    registry,
    sessions,
    database,
    model,
    log,
    // A platform's message may contain its address, and the address its token.
    warn: (sentence) => host.warn(host.redact(sentence)),
    settings: () => host.config.values.gateway ?? {},
    commands: () => host.plugins.commands(),
    onLive,
    background: pluginTurns,
  });
  host.setDeliver(({ text }) => gateway.deliver(text));
  host.onReload(async () => gateway.setAdapters(await platforms.adapters()));
  return gateway;
}

/**
 * If the machine has memory to spare, V8 lets garbage grow to a multiple of the live heap: 350 MB after a thousand
 * messages, with 35 MB alive. A gateway runs for months next to other programs, so it collects earlier and stays at 150.
 */
function keepMemoryFlat(): void {
  setFlagsFromString("--optimize-for-size");
}

interface Announcer {
  add(this: void, platform: string, adapter: Adapter): void;
  open(): void;
}

/**
 * Writes to standard output which platforms run and their addresses. Platforms that start before `open` are announced
 * then, so that the whole gateway is running when a line appears.
 */
function createAnnouncer(context: CliContext): Announcer {
  const early: string[] = [];
  let isOpen = false;
  return {
    add(platform, adapter) {
      const address = findPlatform(platform)?.address?.(adapter) ?? null;
      const line = address === null ? platform : `${platform}: ${address}`;
      if (isOpen) context.out(line);
      else early.push(line);
    },
    open() {
      isOpen = true;
      early.forEach(context.out);
    },
  };
}
