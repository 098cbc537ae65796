/** The part of a host that records firings. Nothing of it is loaded while `record` is off. */
import type { DatabaseSync } from "node:sqlite";
import { declarationOf, EVENT_NAMES, isEventName } from "#core/events";
import type { Config } from "#core/home/config";
import type { RecordSettings } from "#core/home/record-settings";
import type { followEmission } from "#core/followed-emission";
import { wildcardOf } from "#core/gateway-event-names";
import type { FiringRecorder, RecorderOptions } from "#daemon/recordings/recorder";
import type { HostEvents } from "./events.ts";
import { OptionalPart } from "./optional-part.ts";

export interface HostRecordingOptions {
  readonly database: DatabaseSync;
  readonly files: Pick<RecorderOptions, "redact" | "log">;
  readonly events: Pick<HostEvents, "dispatcher" | "registry">;
  /** The kind of this process. */
  readonly surface: string;
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

async function activate({ database, files, events, surface }: HostRecordingOptions) {
  const { EmbeddedRecordings } = await import("#daemon/storage/embedded-recordings");
  const { FiringRecorder: Recorder } = await import("#daemon/recordings/recorder");
  const { followEmission } = await import("#core/followed-emission");
  const { RECORD_DEFAULTS } = await import("#core/home/record-settings");
  const { redact, log } = files;
  const recorder = new Recorder({ store: new EmbeddedRecordings(database), redact, log, surface });
  // A process that ends without disposal; the engine writes before this returns.
  const flushAtExit = () => void recorder.flush();
  process.once("exit", flushAtExit);
  let listeners = new DisposableStack();
  return {
    configure({ events: names, keep_days: days, max_mb: mb }: RecordSettings) {
      const { keep_days, max_mb } = RECORD_DEFAULTS;
      recorder.limits = { keepDays: days ?? keep_days, maxMb: mb ?? max_mb };
      listeners.dispose();
      listeners = listenTo(names ?? EVENT_NAMES, events, recorder, followEmission);
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
  patterns: readonly string[],
  { dispatcher, registry }: HostRecordingOptions["events"],
  recorder: FiringRecorder,
  follow: typeof followEmission,
): DisposableStack {
  const listeners = new DisposableStack();
  for (const event of new Set(patterns.filter(isEventName))) {
    const { live } = declarationOf(event);
    listeners.defer(dispatcher.listen(event, (payload, origin) => recorder.watch(event, payload, origin, live)));
  }
  const wanted = new Set(patterns.filter((pattern) => !isEventName(pattern)));
  if (wanted.size === 0) return listeners;
  const undo = registry.follow({
    wants: (event) => wanted.has(event) || wanted.has(wildcardOf(event) ?? event),
    begin(event, context, handlers) {
      const watch = recorder.watch(event, context);
      return watch === undefined ? handlers : follow(handlers, { event, context, watch });
    },
  });
  listeners.defer(undo);
  return listeners;
}
