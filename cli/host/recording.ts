/** The part of a host that records firings. Nothing of it is loaded while `record` is off. */
import type { DatabaseSync } from "node:sqlite";
import { declarationOf, EVENT_NAMES, isEventName } from "#core/events";
import type { Config } from "#core/home/config";
import type { RecordSettings } from "#core/home/record-settings";
import { PASS } from "#core/answers";
import type { FiringRecorder } from "#daemon/recordings/recorder";
import type { HostFiles } from "../host-files.ts";
import type { HostEvents } from "./events.ts";
import { OptionalPart } from "./optional-part.ts";

export interface HostRecordingOptions {
  readonly database: DatabaseSync;
  readonly files: Pick<HostFiles, "redact" | "log">;
  readonly events: Pick<HostEvents, "dispatcher" | "registry">;
}

export interface HostRecording extends AsyncDisposable {
  /** Records what this configuration asks for, from now on. */
  readonly configure: (config: Config) => Promise<void>;
}

/** Nothing is recorded before the first `configure`, nor where `state.db` cannot be used. */
export function openRecording(options: HostRecordingOptions): HostRecording {
  const part = new OptionalPart(() => activate(options));
  return {
    async configure({ values: { record } }) {
      if (record?.enabled !== true || options.database.location() === null) return part.stop();
      (await part.start()).configure(record);
    },
    [Symbol.asyncDispose]: () => part.stop(),
  };
}

async function activate({ database, files, events }: HostRecordingOptions) {
  const { EmbeddedRecordings } = await import("#daemon/storage/embedded-recordings");
  const { FiringRecorder: Recorder } = await import("#daemon/recordings/recorder");
  const { RECORD_DEFAULTS } = await import("#core/home/record-settings");
  const { redact, log } = files;
  const recorder = new Recorder({ store: new EmbeddedRecordings(database), redact, log });
  // A process that ends without disposal; the engine writes before this returns.
  const flushAtExit = () => void recorder.flush();
  process.once("exit", flushAtExit);
  let listeners = new DisposableStack();
  return {
    configure({ events: names, keep_days: days, max_mb: mb }: RecordSettings) {
      const { keep_days, max_mb } = RECORD_DEFAULTS;
      recorder.limits = { keepDays: days ?? keep_days, maxMb: mb ?? max_mb };
      listeners.dispose();
      listeners = listenTo(new Set(names ?? EVENT_NAMES), events, recorder);
    },
    async [Symbol.asyncDispose]() {
      listeners.dispose();
      process.off("exit", flushAtExit);
      await recorder[Symbol.asyncDispose]();
    },
  };
}

/** Records each firing once, however many patterns match it. */
function listenTo(
  patterns: ReadonlySet<string>,
  { dispatcher, registry }: HostRecordingOptions["events"],
  recorder: FiringRecorder,
): DisposableStack {
  const listeners = new DisposableStack();
  for (const pattern of patterns) {
    if (isEventName(pattern)) {
      const { live } = declarationOf(pattern);
      listeners.defer(dispatcher.listen(pattern, (payload, origin) => recorder.watch(pattern, payload, origin, live)));
      continue;
    }
    const isBroad = pattern.endsWith(":*");
    const handler = (event: string, context: object): void => {
      if (!isBroad || !patterns.has(event)) recorder.watch(event, context)?.end(PASS);
    };
    listeners.defer(registry.register(pattern, handler, { name: "record", description: "records events" }));
  }
  return listeners;
}
