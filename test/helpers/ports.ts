export { freePort, isListening } from "../../.ci/ports.ts";
