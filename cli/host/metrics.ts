/** The part of a host that counts for the home's metrics. Nothing of it is loaded while `monitoring.prometheus` is off. */
import type { Config } from "#core/home/config";
import { observationOf } from "#core/ports/counters";
import type { HookRun } from "#core/ports/hook";
import type { Storage } from "#core/ports/storage";
import type { HostFiles } from "../host-files.ts";
import type { HostEvents } from "./events.ts";
import type { HostOptions } from "./host.ts";
import { OptionalPart } from "./optional-part.ts";

export interface HostMetricsOptions {
  readonly storage: () => Promise<Pick<Storage, "counters">>;
  readonly files: Pick<HostFiles, "log">;
  readonly events: Pick<HostEvents, "dispatcher">;
  readonly surface: HostOptions["surface"];
}

export interface HostMetrics extends AsyncDisposable {
  /** Counts if this configuration asks for metrics, from now on. */
  readonly configure: (config: Config) => Promise<void>;
  /** Writes what was counted until now. */
  readonly flush: () => Promise<void>;
}

/** Nothing is counted before the first `configure`. */
export function openMetrics(options: HostMetricsOptions): HostMetrics {
  const part = new OptionalPart(() => activate(options));
  return {
    async configure({ values }) {
      if (values.monitoring?.prometheus?.enabled !== true) return part.stop();
      await part.start();
    },
    async flush() {
      await part.running?.flush();
    },
    [Symbol.asyncDispose]: () => part.stop(),
  };
}

async function activate({ storage, files, events, surface }: HostMetricsOptions) {
  const { workCounts } = await import("#daemon/storage/task-counts");
  const { Tally } = await import("#daemon/monitoring/tally");
  const tally = new Tally((await storage()).counters, files.log);
  const listeners = new DisposableStack();
  listeners.defer(events.dispatcher.sinks.add((run) => tally.add(runCounts(run))));
  // What a task did is counted with its row, also while nothing asks for metrics.
  if (surface !== "task") {
    listeners.defer(
      events.dispatcher.listen("post_api_request", ({ usage }) =>
        tally.add(workCounts(usage.input_tokens + usage.output_tokens, {})),
      ),
    );
    listeners.defer(
      events.dispatcher.listen("post_tool_call", ({ tool_name }) => tally.add(workCounts(0, { [tool_name]: 1 }))),
    );
  }
  return {
    flush: () => tally.flush(),
    async [Symbol.asyncDispose]() {
      listeners.dispose();
      await tally[Symbol.asyncDispose]();
    },
  };
}

function runCounts({ event, source, outcome, duration_ms }: HookRun) {
  return [
    { name: "hook_runs", labels: [event, source, outcome], amount: 1 } as const,
    ...observationOf("hook", [event, source], duration_ms / 1000),
  ];
}
