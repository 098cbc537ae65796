/** The part of a host that streams its log to the destinations of `logging.stream`. Loaded only if there are any. */
import type { Config } from "#core/home/config";
import { userHome, type HomePaths } from "#core/home/paths";
import type { HostFiles } from "../host-files.ts";
import type { HostOptions } from "./host.ts";
import { onHangup } from "../shutdown.ts";
import { programVersion } from "../version.ts";

export interface HostLogsOptions {
  readonly files: Pick<HostFiles, "streamTo" | "log">;
  readonly paths: HomePaths;
  readonly surface: HostOptions["surface"] | "worker";
  readonly env: NodeJS.ProcessEnv;
}

export interface HostLogs extends AsyncDisposable {
  /** Streams to the destinations of this configuration from now on. */
  readonly configure: (config: Config) => Promise<void>;
}

/** How long the end waits for destinations. */
const LAST_WAIT_MS = 2000;

/** The surfaces that stream their log (CONTRACT §12). */
const STREAMING: ReadonlySet<HostLogsOptions["surface"]> = new Set(["gateway", "serve", "worker", "daemon"]);

/** Nothing is streamed before the first `configure`. */
export function openLogStreams(options: HostLogsOptions): HostLogs {
  let active: Active | undefined;
  return {
    async configure({ values }) {
      const { stream } = values.logging ?? {};
      const isNeeded = STREAMING.has(options.surface) && stream?.destinations !== undefined;
      if (active === undefined && !isNeeded) return;
      active ??= await activate(options);
      await active.configure(stream);
    },
    async [Symbol.asyncDispose]() {
      await active?.[Symbol.asyncDispose]();
    },
  };
}

interface Active extends AsyncDisposable {
  readonly configure: (settings: NonNullable<Config["values"]["logging"]>["stream"]) => Promise<void>;
}

async function activate({ files, paths, env }: HostLogsOptions): Promise<Active> {
  const { LogStreams } = await import("#daemon/logs/streams");
  const streams = new LogStreams({
    log: files.log,
    userHome: userHome(env),
    home: paths.home,
    ownFiles: [paths.log, paths.hookLog],
    version: programVersion(),
  });
  const undo = new DisposableStack();
  undo.defer(files.streamTo((line, fields) => streams.write(line, fields)));
  let hangups: (() => void) | undefined;
  undo.defer(() => hangups?.());
  return {
    async configure(settings) {
      await streams.configure(settings);
      if (streams.hasFiles) hangups ??= onHangup(() => streams.reopen());
      else {
        hangups?.();
        hangups = undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      // Lines from before pino was loaded are still on their way.
      await files.log.settled();
      await streams.drain(LAST_WAIT_MS);
      undo.dispose();
    },
  };
}
