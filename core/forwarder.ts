/**
 * Sends the events of this process to the dashboard, if there is one (seed 002, CONTRACT §9). Emitting an event only
 * costs a push into a queue; without a dashboard nothing is registered at all.
 *
 * A context is kept until it is sent, not copied: it must be an object created for its event that nobody changes later.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { BoundedMap } from "./bounded-map.ts";
import { watchDiscovery, type DiscoveryWatch } from "./forward/discovery-watch.ts";
import { readDiscovery } from "./forward/discovery.ts";
import { formatMessageIds } from "./forward/message-ids.ts";
import { FrameSource } from "./forward/frame-source.ts";
import type { Outlet } from "./forward/outlet.ts";
import { ForwardQueue } from "./forward/queue.ts";
import { ForwardSender } from "./forward/sender.ts";
import { isForwarderOff } from "./forward/switch.ts";
import { homePaths } from "./home/paths.ts";
import { createRareLog } from "./rare-log.ts";
import { problemOf } from "./errors.ts";
import { createRedactor, type Redactor } from "./home/redact.ts";
import type { EventContext, HookRegistry } from "./registry.ts";
import { writeStderr } from "./stderr.ts";

/** What is sent to the dashboard. */
export const FORWARDED = ["tui:*", "agent:*", "session:*", "command:*", "gateway:*"] as const;

export interface ForwarderOptions {
  /** Which kind of process this is: `cli`, `gateway`, `daemon`, `batch`; `unknown` when absent. */
  readonly src?: string;
  /** The home whose `dashboard.json` is used; `$HERMES_HOME`, else `~/.hermes`. */
  readonly home?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Removes secrets from text before it leaves this process; by default those of `env` and of well-known forms. */
  readonly redact?: ((text: string) => string) & Partial<Redactor>;
  /** Takes a warning about a discovery file that is not used; standard error when absent. */
  readonly warn?: (sentence: string) => void;
  /** Takes at most one message a minute about events that do not arrive; like `warn` when absent. */
  readonly log?: (sentence: string) => void;
  /** Opens a stream that gets the events, too, whether or not there is a dashboard. */
  readonly stream?: OpenStream | undefined;
}

/** A stream of events, such as one of NATS, beside the dashboard. */
export interface StreamSender {
  /** Announces a waiting event. Called for every event. */
  wake(): void;
  /** Sends what it can for a moment, then drops the rest. */
  close(): Promise<void>;
}

/** What a stream works with. */
export interface StreamParts {
  readonly src: string;
  readonly outlet: Outlet;
  readonly source: FrameSource;
  /** Identifies this process in the IDs of its messages. */
  readonly sender: string;
  /** Takes a message about each failure. */
  readonly onError: (sentence: string) => void;
}

export type OpenStream = (parts: StreamParts) => StreamSender;

/** A forwarder that is attached to a dashboard. */
export interface Forwarder {
  readonly src: string;
  /** Waiting events, including those being sent; never more than 1,024, besides pieces of text that wait for their end. */
  readonly waiting: number;
  /** Events that were dropped. */
  readonly dropped: number;
  /** The same of the stream; null without one. */
  readonly stream: { readonly waiting: number; readonly dropped: number } | null;
}

/**
 * How long to wait at the end: for a dashboard that does not answer, and for one that does. Less than the time for an
 * answer, so that what is lost is reported, not that an answer is late.
 */
const FLUSH_MS = 500;
const ALIVE_FLUSH_MS = 1900;
/** The file has few different problems; when this many are exceeded, some are reported again. */
const MOST_PROBLEMS = 100;

class HookForwarder implements Forwarder {
  readonly src: string;
  readonly #registry: HookRegistry;
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #warn: (sentence: string) => void;
  readonly #log: (sentence: string) => void;
  readonly #queue = new ForwardQueue();
  readonly #source: FrameSource;
  readonly #outlet = this.#queue.addOutlet();
  readonly #sender: ForwardSender;
  readonly #id = randomUUID();
  #stream: { readonly sender: StreamSender; readonly outlet: Outlet } | null = null;
  readonly #told = new BoundedMap<string, true>(MOST_PROBLEMS);
  /** True once there was a stream, which has got the events that are sent to the dashboard later. */
  #isStreamed = false;
  #watch: DiscoveryWatch | null = null;
  #unregister: (() => void)[] = [];
  #stopping = false;

  constructor(registry: HookRegistry, options: ForwarderOptions) {
    const { src = "unknown", env = process.env, redact = createRedactor(env) } = options;
    this.src = src;
    this.#registry = registry;
    this.#env = env;
    this.#file =
      options.home === undefined ? homePaths(undefined, env).discovery : join(options.home, "dashboard.json");
    this.#warn = options.warn ?? ((sentence) => writeStderr(`[hook forwarder] ${sentence}\n`));
    this.#log = options.log ?? this.#warn;
    const onError = createRareLog({ write: this.#log });
    this.#outlet.pause();
    this.#source = new FrameSource({
      queue: this.#queue,
      src,
      redact,
      unfinished: redact.unfinished ?? createRedactor(env).unfinished,
      onError: (error) => onError(`events could not be written: ${problemOf(error)}`),
      onReady: () => this.#wake(),
    });
    this.#sender = new ForwardSender({
      outlet: this.#outlet,
      source: this.#source,
      messageIds: (numbers) => (this.#isStreamed ? formatMessageIds(this.#id, numbers) : undefined),
      onError,
      onUnauthorized: () => this.refresh(),
    });
    this.#open(options.stream);
  }

  get attached(): boolean {
    return this.#unregister.length > 0;
  }

  get waiting(): number {
    return this.#outlet.held;
  }

  get dropped(): number {
    return this.#outlet.dropped;
  }

  get stream(): Forwarder["stream"] {
    if (this.#stream === null) return null;
    const { held, dropped } = this.#stream.outlet;
    return { waiting: held, dropped };
  }

  start(): void {
    this.#watch = watchDiscovery(this.#file, () => this.refresh(true));
    this.refresh();
  }

  /** Reads the discovery file and attaches, detaches, or switches to another dashboard. */
  refresh(again = false): void {
    const { dashboard, problem } = readDiscovery(this.#file, { env: this.#env });
    if (problem !== null) this.#tell(problem);
    if (dashboard === null) this.#outlet.pause();
    else if (!this.#stopping) this.#outlet.open();
    this.#attach();
    this.#sender.setDashboard(dashboard);
    if (again) this.#sender.retry();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watch?.close();
    this.#detach();
    this.#source.end();
    await Promise.all([this.#sender.close(FLUSH_MS, ALIVE_FLUSH_MS), this.#closeStream()]);
    this.#source.close();
  }

  /** Replaces the stream; without one, events only go to the dashboard. */
  async setStream(open: OpenStream | undefined): Promise<void> {
    await this.#closeStream();
    if (this.#stopping) return;
    this.#open(open);
    this.#attach();
  }

  #open(open: OpenStream | undefined): void {
    if (open === undefined) return;
    this.#isStreamed = true;
    const outlet = this.#queue.addOutlet();
    const onError = createRareLog({ write: this.#log });
    const parts = { src: this.src, outlet, source: this.#source, sender: this.#id, onError };
    this.#stream = { sender: open(parts), outlet };
  }

  async #closeStream(): Promise<void> {
    const stream = this.#stream;
    if (stream === null) return;
    stream.outlet.pause();
    await stream.sender.close();
    this.#queue.removeOutlet(stream.outlet);
    this.#stream = null;
  }

  /** Registers for events while some destination gets them. */
  #attach(): void {
    const isNeeded = this.#queue.outlets.some(({ isOpen }) => isOpen);
    if (!isNeeded) return this.#detach();
    if (this.attached || this.#stopping) return;
    const forward = (event_type: string, context: EventContext) => this.#forward(event_type, context);
    this.#unregister = FORWARDED.map((pattern) =>
      this.#registry.register(pattern, forward, { name: `hook_forwarder(${pattern}→dashboard)` }),
    );
  }

  #detach(): void {
    for (const unregister of this.#unregister.splice(0)) unregister();
  }

  #forward(event_type: string, context: EventContext): void {
    if (cameFromDashboard(context)) return;
    this.#queue.push(event_type, context);
    this.#wake();
  }

  #wake(): void {
    this.#sender.wake();
    this.#stream?.sender.wake();
  }

  #tell(problem: string): void {
    if (this.#told.has(problem)) return;
    this.#told.set(problem, true);
    this.#warn(problem);
  }
}

/** Sending such an event back would create a loop. */
function cameFromDashboard(context: EventContext): boolean {
  try {
    return context["_forwarded"] === true;
  } catch {
    // A getter threw, so it is not marked.
    return false;
  }
}

/** The forwarder of this process, attached or waiting for a dashboard. */
let current: HookForwarder | null = null;
/** The end of the last forwarder. */
let stopped = Promise.resolve();

/**
 * Forwards the registry's events to the dashboard as soon as there is one, and to the stream. Returns the attached
 * forwarder, the same one at every call, or null while there is neither or when `HERMES_HOOK_FORWARDER` turns it off.
 */
export function start_if_dashboard_available(registry: HookRegistry, options: ForwarderOptions = {}): Forwarder | null {
  const env = options.env ?? process.env;
  if (isForwarderOff(env)) return null;
  if (current === null) {
    current = new HookForwarder(registry, options);
    current.start();
  } else if (!current.attached) current.refresh();
  return current.attached ? current : null;
}

/** Replaces the stream that this process's events go to. Does nothing while nothing is forwarded at all. */
export async function replace_stream(open: OpenStream | undefined): Promise<void> {
  await current?.setStream(open);
}

/**
 * Sends waiting events for at most half a second, or two seconds when the dashboard answers, then forwards nothing more;
 * also stops looking for a dashboard.
 */
export function stop(): Promise<void> {
  if (current !== null) stopped = current.stop();
  current = null;
  return stopped;
}

/** True while events are forwarded: there is a stream or a dashboard, or there was one a moment ago. */
export function is_active(): boolean {
  return current?.attached ?? false;
}
