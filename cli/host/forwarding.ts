/** The part of a host that forwards its events. Nothing of NATS is loaded without `forward.nats`. */
import { isDeepStrictEqual } from "node:util";
import { replace_stream, start_if_dashboard_available, stop, type OpenStream } from "#core/forwarder";
import type { Config } from "#core/home/config";
import { userHome } from "#core/home/paths";
import type { HostFiles } from "../host-files.ts";
import type { HostEvents } from "./events.ts";
import { platformOf, type HostOptions } from "./host.ts";

export interface HostForwardingOptions extends Pick<HostOptions, "context" | "paths" | "surface"> {
  readonly config: Config;
  readonly files: Pick<HostFiles, "log" | "redact">;
  readonly events: Pick<HostEvents, "registry">;
}

export interface HostForwarding extends AsyncDisposable {
  /** Forwards to the stream of this configuration from now on. */
  readonly configure: (config: Config) => Promise<void>;
}

/** Sends every event to the dashboard of the home, if there is one or once there is, and to the configured stream. */
export async function openForwarding(options: HostForwardingOptions): Promise<HostForwarding> {
  const { context, paths, surface, config, files, events } = options;
  let settings = config.values.forward?.nats;
  start_if_dashboard_available(events.registry, {
    src: platformOf(surface),
    home: paths.home,
    env: context.env,
    redact: files.redact,
    warn: context.warn,
    log: (sentence) => files.log.warn(sentence),
    stream: await streamOf(options, settings),
  });
  return {
    async configure({ values }) {
      const other = values.forward?.nats;
      if (isDeepStrictEqual(other, settings)) return;
      settings = other;
      await replace_stream(await streamOf(options, settings));
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}

type NatsSettings = NonNullable<NonNullable<Config["values"]["forward"]>["nats"]>;

async function streamOf(
  { context, files }: HostForwardingOptions,
  settings: NatsSettings | undefined,
): Promise<OpenStream | undefined> {
  if (settings === undefined) return undefined;
  const { NatsSender } = await import("#core/forward/nats/sender");
  const { redact } = files;
  return (parts) => new NatsSender({ settings, userHome: userHome(context.env), redact }, parts);
}
