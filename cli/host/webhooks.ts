/** The part of a host that sends events to webhooks. Nothing of it is loaded without an endpoint. */
import type { Config } from "#core/home/config";
import { problemOf } from "#core/errors";
import { isEventName } from "#core/events";
import { programVersion } from "../version.ts";
import type { Deliverer } from "#daemon/webhooks/deliverer";
import type { Storage } from "#core/ports/storage";
import type { HostFiles } from "../host-files.ts";
import type { HostEvents } from "./events.ts";
import type { Reporting } from "./reporting.ts";

export interface HostWebhooksOptions {
  readonly storage: () => Promise<Storage>;
  /** The home's `run/`, where processes find those that send webhooks. */
  readonly run: string;
  /** True for a process that lives long enough to send what others leave. */
  readonly isLasting: boolean;
  readonly files: Pick<HostFiles, "redact" | "log">;
  readonly events: Pick<HostEvents, "dispatcher" | "registry">;
  /** Shows a sentence to the user. */
  readonly warn: (sentence: string) => void;
}

/** A tool call that passed the gate. */
export interface ToolCalled {
  /** The task's id, or the session's outside of a task. */
  readonly task_id: string;
  readonly tool: string;
  readonly args: object;
}

export interface HostWebhooks extends AsyncDisposable, Reporting {
  /** Sends to the endpoints of this configuration from now on. */
  readonly configure: (config: Config) => Promise<void>;
  readonly toolCalled: (call: ToolCalled) => void;
}

/** How long the end waits for deliveries; the rest is delivered by the next process that runs turns. */
const LAST_WAIT_MS = 2000;

/** Nothing is sent before the first `configure`. */
export function openWebhooks(options: HostWebhooksOptions): HostWebhooks {
  let active: Active | undefined;
  return {
    async configure({ values }) {
      if (active === undefined && values.webhooks?.endpoints === undefined) return;
      active ??= await activate(options);
      active.configure(values.webhooks);
    },
    toolCalled({ task_id, tool, args }) {
      active?.publish("tool_called", { task_id, tool, parameters: args });
    },
    deliveriesFor: (event, payload) => active?.deliveriesFor(event, payload) ?? [],
    async wake() {
      await active?.wake();
    },
    async [Symbol.asyncDispose]() {
      await active?.[Symbol.asyncDispose]();
    },
  };
}

interface Active extends AsyncDisposable, Reporting {
  readonly configure: (settings: Config["values"]["webhooks"]) => void;
  readonly publish: (event: string, payload: object) => void;
}

async function activate(options: HostWebhooksOptions): Promise<Active> {
  const { storage, files, events, warn } = options;
  const { redact, log } = files;
  const { endpointsOf } = await import("#daemon/webhooks/endpoints");
  const { WebhookPublisher } = await import("#daemon/webhooks/publisher");
  const { Deliverer } = await import("#daemon/webhooks/deliverer");
  const { WebhookSender } = await import("#daemon/webhooks/send");
  const { createMatcher } = await import("#sandbox/shell/matcher");
  const { memoize } = await import("#core/bounded-map");
  const stores = await storage();
  const { deliveries: store } = stores;
  const sender = new WebhookSender({ version: programVersion(), redact });
  let endpoints: ReturnType<typeof endpointsOf> = [];
  const deliverer = new Deliverer({ store, sender, endpoints: () => endpoints, log, warn });
  const others = await meetOthers(options, stores, deliverer);
  const matcherOf = memoize((pattern: string) => createMatcher(pattern), 100);
  const publisher = new WebhookPublisher({
    store,
    redact,
    matches: (pattern, tool) => matcherOf(pattern).matches(tool),
    onStored(names) {
      others.stored();
      names.forEach((name) => deliverer.wake(name));
    },
    log,
  });
  let listeners = new DisposableStack();
  let started = false;

  return {
    configure(settings) {
      endpoints = endpointsOf(settings);
      publisher.configure(endpoints);
      listeners.dispose();
      listeners = listenTo(
        endpoints.map(({ event }) => event),
        events,
        (event, payload) => publisher.publish(event, payload),
      );
      void (started ? deliverer.lookAround() : deliverer.start());
      started = true;
    },
    publish: (event, payload) => publisher.publish(event, payload),
    deliveriesFor(event, payload) {
      const deliveries = publisher.deliveriesFor(event, payload);
      if (deliveries.length > 0) others.stored();
      return deliveries;
    },
    wake: () => deliverer.lookAround(),
    async [Symbol.asyncDispose]() {
      listeners.dispose();
      await publisher.flush();
      await deliverer.drain(LAST_WAIT_MS);
      await deliverer[Symbol.asyncDispose]();
      await sender[Symbol.asyncDispose]();
      await others[Symbol.asyncDispose]();
    },
  };
}

interface Others extends AsyncDisposable {
  /** Deliveries are about to be stored: when this process ends, however it does, others send what it has left. */
  readonly stored: () => void;
}

async function meetOthers(
  { run, isLasting, files }: HostWebhooksOptions,
  stores: Pick<Storage, "onWake">,
  deliverer: Pick<Deliverer, "hear" | "lookAround">,
): Promise<Others> {
  const { openWakeSocket, wakeAtEnd } = await import("../wake-sockets.ts");
  const undo = new AsyncDisposableStack();
  if (isLasting) {
    undo.use(stores.onWake((kind) => kind === "deliveries" && deliverer.hear()));
    try {
      undo.use(await openWakeSocket(run, "webhooks", () => void deliverer.lookAround()));
    } catch (error) {
      files.log.warn(`other processes cannot hand over webhooks: ${problemOf(error)}`);
    }
  }
  let isKnown = false;
  return {
    stored() {
      if (isKnown) return;
      isKnown = true;
      undo.defer(wakeAtEnd(run));
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

/** Passes on each event once, however many endpoints listen to it. */
function listenTo(
  events: readonly string[],
  { dispatcher, registry }: HostWebhooksOptions["events"],
  publish: (event: string, payload: object) => void,
): DisposableStack {
  const listeners = new DisposableStack();
  const patterns = new Set(events);
  for (const pattern of patterns) {
    if (isEventName(pattern)) {
      listeners.defer(dispatcher.listen(pattern, (payload) => publish(pattern, payload)));
      continue;
    }
    if (!pattern.includes(":")) continue;
    const isBroad = pattern.endsWith(":*");
    const handler = (event: string, context: object): void => {
      // An endpoint of the event itself has passed it on.
      if (!isBroad || !patterns.has(event)) publish(event, context);
    };
    listeners.defer(registry.register(pattern, handler, { name: "webhooks", description: "sends events to webhooks" }));
  }
  return listeners;
}
