/** `hermes run --daemon`: a session that stays, from its start to its drain. */
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import { loadConfig } from "#core/home/config";
import { openDatabase } from "#core/home/database";
import { demandVisible } from "#core/home/hidden";
import { MOST_QUEUED } from "#core/ports/inbox";
import { flushStdoutWithin, unreadStdout } from "#core/stdout";
import type { DaemonSession } from "#daemon/session/daemon-session";
import { daemonFiles } from "#daemon/session/place";
import { contentProblem } from "#daemon/session/wire";
import { createRenderer, type OutputFormat, type Renderer } from "../chat/renderers.ts";
import { createHost } from "../compose.ts";
import type { CliContext } from "../context.ts";
import type { DaemonInbound } from "#cli/inbound/open";
import type { InboundStartOptions } from "#cli/inbound/start";
import { showRuns } from "#cli/gateway/run";
import { claimDaemon } from "../home-claim.ts";
import type { Host } from "../host/host.ts";
import { keepMemoryFlat } from "../memory.ts";
import { untilStopped } from "../shutdown.ts";
import { watchHost } from "../watch.ts";
import { tellAddresses } from "./addresses.ts";
import { boundFrames } from "./bounded-frames.ts";
import { checkedName } from "./find.ts";
import { DRAIN_MS, endDaemon, openDaemon, PLATFORM, sessionOf } from "./open.ts";
import { pipedText } from "./piped-text.ts";

/** How long a reader of standard output that does not read may hold up the end. */
const READER_MS = 2000;

export interface DaemonFlags {
  readonly name: string | undefined;
  /** The names of its inbound webhooks. */
  readonly hooks: readonly string[];
  readonly prompt: string | undefined;
  readonly outputFormat: OutputFormat;
  readonly quiet: boolean;
}

/** Runs until SIGTERM, SIGINT or `hermes stop`, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runDaemon(flags: DaemonFlags, command: Command, context: CliContext): Promise<void> {
  const name = checkedName(flags.name, "hermes run --daemon --name ci-watcher");
  checkFormat(flags);
  const paths = context.paths(command);
  demandVisible(paths, "hermes run --daemon");
  const asked = Promise.withResolvers<void>();
  const stopped = untilStopped((code) => process.exit(code));
  keepMemoryFlat();
  await using undo = new AsyncDisposableStack();
  const files = daemonFiles(paths.run, name);
  undo.defer(claimDaemon(files.claim, name));
  // A conversation can do without its database. A daemon, whose messages are kept, cannot.
  openDatabase(paths.state).close();
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const globals = context.globals(command);
  const inbound = undo.use(await openHooks(flags.hooks, { context, globals, paths }));
  const instructions = { flag: undefined, mayAsk: false, says: true };
  const host = undo.use(await createHost({ context, globals, paths, surface: "daemon", interactive, instructions }));
  showRuns(host, context);
  const shown = showFrames(flags, host, context);
  undo.defer(() => shown.finish());
  const daemon = await openDaemon({
    host,
    name,
    files,
    hooks: flags.hooks,
    addresses: inbound?.addresses ?? [],
    ownsProcess: true,
    onFrame: shown.show,
    onStop: () => asked.resolve(),
  });
  const conversation = { session: sessionOf(host, name), platform: PLATFORM };
  host.runner.show({ ...conversation, onFrame: shown.show });
  await daemon.start();
  undo.defer(() => daemon.drain(0));
  await inbound?.start(daemon, host);
  undo.defer(await watchHost(host));
  if (flags.prompt !== undefined && flags.prompt !== "-") await post(daemon, name, flags.prompt);
  else void takePiped(daemon, name, context);
  tellAddresses(inbound?.addresses ?? [], context);
  context.note(`The daemon "${name}" is running. Press Ctrl+C to stop it.`);
  await Promise.race([stopped, asked.promise]);
  if (daemon.state === "running") context.note("Waiting for the running turn to finish …");
  await Promise.all([inbound?.stop(DRAIN_MS), endDaemon(host, daemon, shown.show)]);
  await host.dispatcher.drain();
  await flushStdoutWithin(READER_MS);
}

/** Nothing is loaded without a hook. The host reads the configuration once more, when nothing else can fail. */
async function openHooks(
  names: readonly string[],
  options: Omit<InboundStartOptions, "config">,
): Promise<DaemonInbound | undefined> {
  if (names.length === 0) return undefined;
  const { openInbound } = await import("#cli/inbound/open");
  return openInbound(names, { ...options, config: await loadConfig(options.paths, options.context.env) });
}

function checkFormat({ outputFormat, prompt }: DaemonFlags): void {
  if (outputFormat === "json") {
    const problem = "--output-format json is one document at the end, and a daemon has none: use --format jsonl.";
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const problem = prompt === undefined || prompt === "-" ? undefined : contentProblem(prompt);
  if (problem !== undefined)
    throw new HermesError("HERMES_USAGE", { problem: `The prompt cannot be sent: ${problem}.` });
}

/** A session is named once: every further turn is one of the same session. */
function showFrames({ outputFormat, quiet }: DaemonFlags, host: Host, context: CliContext): Renderer {
  const streaming = () => host.dispatcher.mayStream();
  const renderer = createRenderer({ format: outputFormat, quiet, streaming, reasoning: { on: false }, context });
  let named: string | undefined;
  const show = boundFrames({ show: (frame) => renderer.show(frame), unread: unreadStdout, log: host.log });
  return {
    show(frame: Frame) {
      if (frame.type === "session" && frame.session_id === named) return;
      if (frame.type === "session") named = frame.session_id;
      show(frame);
    },
    finish: () => renderer.finish(),
  };
}

/** Throws HERMES_INBOX_FULL. */
async function post(daemon: DaemonSession, name: string, content: string): Promise<void> {
  const added = await daemon.post({ source: "inject", label: "prompt", content });
  if (added.kind === "full") throw new HermesError("HERMES_INBOX_FULL", { name, most: MOST_QUEUED });
}

/** The daemon does not wait for standard input: it may stay open for as long as the daemon runs. */
async function takePiped(daemon: DaemonSession, name: string, context: CliContext): Promise<void> {
  try {
    const text = await pipedText();
    if (text !== undefined) await post(daemon, name, text);
  } catch (error) {
    context.note(`hermes: standard input was not taken as a message: ${(error as Error).message}`);
  }
}
