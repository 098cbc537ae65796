/** The settings of metrics and health checks, below `monitoring` (CONTRACT §12, seed 000). */
import type { z } from "zod";
import type { Zod } from "#core/zod";
import { portNumber } from "./platform-settings.ts";

export type MonitoringSettings = z.infer<ReturnType<typeof monitoringSchema>>;

/** What is served, where, when the settings do not say. */
export const MONITORING_DEFAULTS = {
  prometheus: { host: "127.0.0.1", port: 9090, path: "/metrics" },
  health: { host: "127.0.0.1", port: 8080, path: "/health" },
} as const;

/** Always served beside the health check. */
const PROBE_PATHS = ["/livez", "/readyz"] as const;

const KINDS = ["prometheus", "health"] as const;

export function monitoringSchema(zod: Zod) {
  return zod
    .strictObject({
      prometheus: endpointSchema(zod, "prometheus").describe("Metrics for Prometheus, served by hermes serve"),
      health: endpointSchema(zod, "health").describe("A health check, /livez and /readyz, served by hermes serve"),
    })
    .partial()
    .check((context) => {
      const { value: input } = context;
      const [metrics, health] = KINDS.map((kind) => ({ ...MONITORING_DEFAULTS[kind], ...input[kind] }));
      if (metrics!.host !== health!.host || metrics!.port !== health!.port) return;
      if (![health!.path, ...PROBE_PATHS].includes(metrics!.path)) return;
      const message = "the health check uses this path on the same port";
      context.issues.push({ code: "custom", message, input, path: ["prometheus", "path"] });
    });
}

function endpointSchema(zod: Zod, kind: (typeof KINDS)[number]) {
  const { host, port, path } = MONITORING_DEFAULTS[kind];
  return zod
    .strictObject({
      enabled: zod.boolean().describe("Off by default"),
      host: zod.string().min(1).describe(`The address to listen on; ${host} by default`),
      port: portNumber(zod).describe(`${port} by default`),
      path: zod
        .string()
        .regex(/^\/[\w./~-]*$/, "expected a path like /metrics")
        .describe(`${path} by default`),
    })
    .partial();
}
