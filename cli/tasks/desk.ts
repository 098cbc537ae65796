/** The tasks of a home for surfaces without a command line: chat, messaging platforms, the dashboard's page. */
import type { Frame } from "#core/frames";
import type { Storage } from "#core/ports/storage";
import type { Task, TaskDesk, TaskStore } from "#core/ports/tasks";
import { reportEnd, type DeliveriesFor } from "#daemon/tasks/events";
import { readOutputEnd } from "#daemon/tasks/output";
import { settleTasks } from "#daemon/tasks/settle";
import { createRenderer } from "../chat/renderers.ts";
import type { Host } from "../host/host.ts";
import { endTask } from "./end-task.ts";

export interface TaskDeskOptions {
  readonly storage: () => Promise<Pick<Storage, "tasks" | "outputs">>;
  /** The home's folder of what tasks have printed. */
  readonly folder: string;
  /** `background.persist_on_restart` of now. */
  readonly persist: () => boolean;
  readonly deliveriesFor: DeliveriesFor;
  readonly redact: (text: string) => string;
}

/** How much of an output is read for its last lines, so that a long one holds nothing up. */
const OUTPUT_END_BYTES = 256 * 1024;
const MOST_FRAMES = 1000;

/** The tasks of a host's home. */
export function taskDeskOf(host: Pick<Host, "storage" | "paths" | "config" | "webhooks" | "redact">): TaskDesk {
  return createTaskDesk({
    storage: host.storage,
    folder: host.paths.tasks,
    persist: () => host.config.values.background.persist_on_restart,
    deliveriesFor: (event, payload) => host.webhooks.deliveriesFor(event, payload),
    redact: host.redact,
  });
}

export function createTaskDesk({ storage, folder, persist, deliveriesFor, redact }: TaskDeskOptions): TaskDesk {
  /** The store, without tasks that only seem to run. */
  async function settled(): Promise<TaskStore> {
    const { tasks } = await storage();
    await settleTasks(tasks, { persist: persist(), reports: reportEnd(deliveriesFor) });
    return tasks;
  }
  const shown = (task: Task): Task => ({
    ...task,
    prompt: redact(task.prompt),
    error: task.error === null ? null : redact(task.error),
  });
  return {
    async list(filter) {
      const store = await settled();
      return (await store.list(filter)).map(shown);
    },
    async get(id) {
      const store = await settled();
      const task = await store.get(id);
      return task && shown(task);
    },
    find: async (beginning) => (await storage()).tasks.find(beginning),
    async lastLines(id, most) {
      const elsewhere = await (await storage()).outputs.read(id);
      const frames = elsewhere?.lines.slice(-MOST_FRAMES) ?? readOutputEnd(folder, id, OUTPUT_END_BYTES);
      const lines = textOf(frames).trimEnd().split("\n");
      return lines
        .slice(-most)
        .filter((line, index) => index > 0 || line !== "")
        .map(redact);
    },
    async cancel(id) {
      const store = await settled();
      const before = await store.cancel(id);
      if (before === "running") await endTask(store, id, () => undefined);
      return before;
    },
  };
}

/** What the frames print on standard output. */
function textOf(frames: readonly string[]): string {
  let text = "";
  const write = (piece: string) => void (text += piece);
  const nothing = () => undefined;
  const out = (line: string) => write(line.endsWith("\n") ? line : `${line}\n`);
  const context = { write, out, note: nothing, faint: nothing, faintPart: nothing, json: nothing };
  const renderer = createRenderer({
    format: "text",
    quiet: false,
    streaming: () => true,
    reasoning: { on: false },
    context,
  });
  for (const line of frames) {
    const frame = JSON.parse(line) as Frame | { readonly type: "truncated" };
    if (frame.type !== "truncated") renderer.show(frame);
  }
  renderer.finish();
  return text;
}
