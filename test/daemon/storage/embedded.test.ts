/** The cases of the port on the storage of a home by itself. */
import { embeddedEngine } from "../../helpers/storages.ts";
import { counterCases, deliveryCounterCases } from "./cases/counters.ts";
import { deliveriesCases } from "./cases/deliveries.ts";
import { taskCases } from "./cases/tasks.ts";

taskCases(embeddedEngine);
counterCases(embeddedEngine);
deliveryCounterCases(embeddedEngine);
deliveriesCases(embeddedEngine);
