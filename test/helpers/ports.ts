export { freePort } from "../../.ci/free-port.ts";
