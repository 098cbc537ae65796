/** A NATS server for tests. */
export { NatsServer } from "../../.ci/nats-server.ts";
