/** The cases of the port on the storage of a home by itself. */
import { embeddedEngine } from "../../helpers/storages.ts";
import { deliveriesCases } from "./cases/deliveries.ts";

deliveriesCases(embeddedEngine);
