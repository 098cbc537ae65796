/** The cases of the port on the storage of a home by itself. */
import { embeddedEngine } from "../../helpers/storages.ts";
import { counterCases, deliveryCounterCases } from "./cases/counters.ts";
import { deliveriesCases } from "./cases/deliveries.ts";
import { taskCases } from "./cases/tasks.ts";
import { workersCases } from "./cases/workers.ts";
import { inboundRunsCases } from "./cases/inbound-runs.ts";
import { inboxCases, taskReportCases } from "./cases/inbox.ts";
import { schedulesCases } from "./cases/schedules.ts";

taskCases(embeddedEngine);
counterCases(embeddedEngine);
deliveryCounterCases(embeddedEngine);
deliveriesCases(embeddedEngine);
inboxCases(embeddedEngine);
taskReportCases(embeddedEngine);
schedulesCases(embeddedEngine);
inboundRunsCases(embeddedEngine);
workersCases(embeddedEngine);
