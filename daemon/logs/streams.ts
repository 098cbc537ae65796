/** Sends each line of the log to the destinations of the configuration. */
import { join, resolve } from "node:path";
import {
  parseAddress,
  type DestinationSettings,
  type FileSettings,
  type HttpSettings,
  type StreamSettings,
  type SyslogSettings,
} from "#core/home/logging-settings";
import type { Fields, Log } from "#core/home/log";
import { FileSink } from "./file-sink.ts";
import { HttpSink } from "./http-sink.ts";
import { LogPump, type PumpBounds } from "./pump.ts";
import type { Sink } from "./sink.ts";
import { TcpSink } from "./tcp-sink.ts";
import { UdpSink } from "./udp-sink.ts";

export interface LogStreamsOptions {
  readonly log: Log;
  /** What `~` stands for. */
  readonly userHome: string;
  /** The folder that relative paths start from. */
  readonly home: string;
  /** Files that hermes writes itself, which are no destinations. */
  readonly ownFiles: readonly string[];
  /** The version of the program. */
  readonly version: string;
  readonly bounds?: Partial<PumpBounds>;
}

/** A kind of destination: its name for the log, and how its lines are sent. */
interface Plan {
  readonly name: string;
  readonly batch: number;
  readonly intervalMs: number;
  readonly file?: string;
  readonly open: () => Sink;
}

interface Destination {
  readonly key: string;
  readonly pump: LogPump;
}

const MIB = 1024 * 1024;
/** How long the removed destinations of a reload have for their lines. */
const RELOAD_DRAIN_MS = 2000;
/** Marks the lines about a destination: they do not go to it. A symbol is not written. */
const ABOUT = Symbol("about");

export class LogStreams {
  readonly #options: LogStreamsOptions;
  #destinations: readonly Destination[] = [];

  constructor(options: LogStreamsOptions) {
    this.#options = options;
  }

  /** Sends to these destinations from now on; those that have not changed keep their lines. Never rejects. */
  async configure(settings: StreamSettings | undefined): Promise<void> {
    const wanted = settings?.enabled === false ? [] : (settings?.destinations ?? []);
    const kept = this.#destinations.filter(({ key }) => wanted.some((one) => JSON.stringify(one) === key));
    const removed = this.#destinations.filter((one) => !kept.includes(one));
    this.#destinations = kept;
    // Before the new ones: the same file may be among them.
    await Promise.all(removed.map(({ pump }) => pump.drain(RELOAD_DRAIN_MS)));
    this.#destinations = wanted.flatMap((one) => {
      const key = JSON.stringify(one);
      return kept.find((old) => old.key === key) ?? this.#open(one, key) ?? [];
    });
  }

  /** Takes a line of the log, without secrets, and its fields. Never throws and never waits. */
  write(line: string, fields: Fields): void {
    const about = (fields as { readonly [ABOUT]?: string })[ABOUT];
    for (const { key, pump } of this.#destinations) if (key !== about) pump.push(line);
  }

  /** Opens the files again: another program has moved them. */
  reopen(): void {
    for (const { pump } of this.#destinations) pump.reopen();
  }

  get hasFiles(): boolean {
    return this.#destinations.some(({ key }) => (JSON.parse(key) as DestinationSettings).type === "file");
  }

  /** Sends what is waiting, for at most `ms`, and closes all destinations. */
  async drain(ms: number): Promise<void> {
    await Promise.all(this.#destinations.map(({ pump }) => pump.drain(ms)));
    this.#destinations = [];
  }

  #open(settings: DestinationSettings, key: string): Destination | undefined {
    const { log, ownFiles, bounds = {} } = this.#options;
    const plan = this.#plan(settings);
    const fields: Fields & { readonly [ABOUT]?: string } = { destination: plan.name, [ABOUT]: key };
    if (plan.file !== undefined && ownFiles.includes(plan.file)) {
      log.warn(`log lines are not streamed to ${plan.file}: hermes writes this file itself`, fields);
      return undefined;
    }
    const pump = new LogPump({
      sink: plan.open(),
      batch: plan.batch,
      intervalMs: plan.intervalMs,
      bounds,
      say: (level, clause) => log[level](`log lines for ${plan.name} ${clause}`, fields),
    });
    return { key, pump };
  }

  #plan(settings: DestinationSettings): Plan {
    switch (settings.type) {
      case "file":
        return this.#planFile(settings);
      case "syslog":
        return this.#planSyslog(settings);
      default:
        return this.#planHttp(settings);
    }
  }

  #planFile({ path, max_size_mb = 50, keep = 5 }: FileSettings): Plan {
    const file = this.#resolve(path);
    const open = () => new FileSink({ path: file, maxBytes: max_size_mb * MIB, keep });
    return { name: `the file ${file}`, batch: 1000, intervalMs: 0, file, open };
  }

  #planSyslog({ address, protocol = "udp", ca, facility = "user" }: SyslogSettings): Plan {
    const name = `syslog ${protocol}://${address}`;
    const found = parseAddress(address);
    if (found === null) throw new TypeError(`${address} is not host:port`);
    const target = { ...found, facility };
    if (protocol === "udp") return { name, batch: 200, intervalMs: 0, open: () => new UdpSink(target) };
    const tls = { ca: ca === undefined ? undefined : this.#resolve(ca) };
    const open = () => new TcpSink(protocol === "tls" ? { ...target, tls } : target);
    return { name, batch: 500, intervalMs: 0, open };
  }

  /** Its name is not the whole URL: a path or a query may be a key. */
  #planHttp({ url, headers = {}, batch = 500, interval_ms: intervalMs = 2000 }: HttpSettings): Plan {
    const open = () => new HttpSink({ url, headers, version: this.#options.version });
    return { name: new URL(url).origin, batch, intervalMs, open };
  }

  #resolve(path: string): string {
    const { userHome, home } = this.#options;
    return path === "~" || path.startsWith("~/") ? join(userHome, path.slice(1)) : resolve(home, path);
  }
}
