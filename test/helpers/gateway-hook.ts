import type { GatewayHook } from "#core/ports/tier";

/** A worker hook for tests, in a folder that does not exist unless said otherwise. */
export function makeGatewayHook(name: string, options: Partial<GatewayHook> = {}): GatewayHook {
  return {
    directory: name,
    name,
    description: "",
    events: [],
    enabled: true,
    isolation: "worker",
    timeoutSeconds: 30,
    memoryMb: 128,
    allow: { fetch: [], env: [], kv: false },
    folder: "/nowhere",
    handler: "/nowhere/handler.ts",
    ...options,
  };
}
