/** Tasks that fail before their turn can begin. */
import assert from "node:assert/strict";
import test from "node:test";
import { until } from "../helpers/poll.ts";
import { startReceiver } from "../helpers/receiver.ts";
import { statusOf, submitTask, taskBecomes, taskHome } from "../helpers/tasks.ts";

test("a task whose model is not configured fails, and its webhook says why", async (t) => {
  const receiver = await startReceiver(t);
  const home = taskHome(t);
  const model = { provider: "openai", api_key: "${HERMES_TEST_UNSET}" };
  const webhooks = { endpoints: { task_failed: { url: `${receiver.url}/failed` } } };
  home.write("config.yaml", JSON.stringify({ model, webhooks }));
  const id = await submitTask(home, "say hello");
  await taskBecomes(home, id, "failed");
  const { error } = await statusOf(home, id);
  assert.match(String(error), /HERMES_TEST_UNSET/);
  await until(() => receiver.received.length > 0, "the webhook has come");
  const body = JSON.parse(receiver.received[0]!.body) as Record<string, unknown>;
  assert.deepEqual([body["event"], body["task_id"], body["status"]], ["task_failed", id, "failed"]);
  assert.match(String(body["error"]), /HERMES_TEST_UNSET/);
});
