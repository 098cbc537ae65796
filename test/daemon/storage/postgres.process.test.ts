/** The cases of the port on a real server: one for all of them. */
import { after, suite } from "node:test";
import { PostgresServer } from "../../helpers/postgres.ts";
import { postgresEngine } from "../../helpers/storages.ts";
import { counterCases, deliveryCounterCases } from "./cases/counters.ts";
import { deliveriesCases } from "./cases/deliveries.ts";
import { taskCases } from "./cases/tasks.ts";
import { workersCases } from "./cases/workers.ts";
import { inboundRunsCases } from "./cases/inbound-runs.ts";
import { inboxCases, taskReportCases } from "./cases/inbox.ts";
import { machinesCases } from "./cases/machines.ts";
import { schedulesCases } from "./cases/schedules.ts";

const server = await PostgresServer.start();
const engine = await postgresEngine(server);
after(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

suite("deliveries", () => deliveriesCases(engine));
suite("tasks", () => taskCases(engine));
suite("workers", () => workersCases(engine));
suite("counters", () => {
  counterCases(engine);
  deliveryCounterCases(engine);
});
suite("inboxes", () => {
  inboxCases(engine);
  taskReportCases(engine);
});
suite("schedules", () => schedulesCases(engine));
suite("inbound runs", () => inboundRunsCases(engine));
suite("several machines", () => machinesCases(server));
