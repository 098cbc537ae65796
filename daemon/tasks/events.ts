/** What webhooks tell of tasks (seed 000, "Webhook Payload"; CONTRACT §11). */
import type { NewDelivery } from "#core/ports/deliveries";
import type { Reports, Task } from "#core/ports/tasks";

/** Turns an event into deliveries to the endpoints that listen to it. */
export type DeliveriesFor = (event: string, payload: object) => readonly NewDelivery[];

/** The deliveries about a task's first start. */
export function reportStart(deliveriesFor: DeliveriesFor, submittedOn: string): Reports {
  return ({ id, prompt }) => deliveriesFor("task_started", { task_id: id, prompt, platform: submittedOn });
}

/** The deliveries about a task's end; a cancelled one has none. */
export function reportEnd(deliveriesFor: DeliveriesFor): Reports {
  return (task) => {
    if (task.status === "cancelled") return [];
    if (task.status === "succeeded") {
      return deliveriesFor("task_completed", { ...common(task), ...figures(task), result: "success" });
    }
    const { status, error } = task;
    return deliveriesFor("task_failed", { ...common(task), ...figures(task), result: "failure", status, error });
  };
}

const common = ({ id, prompt }: Task) => ({ task_id: id, prompt });
const figures = ({ duration_seconds, tokens_used, tools_called }: Task) => ({
  duration_seconds,
  tokens_used,
  tools_called,
});
