/** Each row of the table: which surfaces refuse to start when a variable at this path is not set. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { demandFor, SURFACES } from "#core/home/demands";

const UNSET = "'${UNSET}'";
const TURNS = ["cli", "gateway", "serve", "daemon", "task"];
const GATEWAYS = ["gateway", "serve"];
const HOSTS = [...TURNS, "dashboard", "hooks replay"];

const CASES: readonly (readonly [config: string, refusedBy: readonly string[]])[] = [
  [`model: { default: ${UNSET} }`, TURNS],
  [`agent: { env_passthrough: [${UNSET}] }`, TURNS],
  [`sandbox: { tools: ${UNSET} }`, [...TURNS, "hooks test", "hooks replay", "sandbox", "inbound"]],
  [`sessions: ${UNSET}`, TURNS],
  [`hooks_auto_accept: ${UNSET}`, [...TURNS, "inbound"]],
  [`hooks_limits: { context: ${UNSET} }`, [...TURNS, "hooks replay"]],
  [`record: { events: [${UNSET}] }`, TURNS],
  [`hooks_consent: ${UNSET}`, [...TURNS, "hooks test", "hooks replay", "inbound"]],
  [`plugins: { callback_timeout_seconds: ${UNSET} }`, HOSTS],
  [`plugins: ${UNSET}`, HOSTS],
  [`plugins: { entries: { one: { on_error: ${UNSET} } } }`, ["plugin"]],
  [`plugins: { entries: { other: { on_error: ${UNSET} } } }`, []],
  [`gateway: ${UNSET}`, [...GATEWAYS, "hooks replay"]],
  [`gateway: { hooks: { untrusted: [${UNSET}] } }`, [...GATEWAYS, "hooks replay"]],
  [`gateway: { busy: ${UNSET} }`, GATEWAYS],
  [`gateway: { platforms: { own: { enabled: ${UNSET} } } }`, GATEWAYS],
  [`gateway: { platforms: { own: ${UNSET} } }`, GATEWAYS],
  [`gateway: { platforms: { own: { enabled: true, url: ${UNSET} } } }`, GATEWAYS],
  [`gateway: { platforms: { own: { enabled: false, url: ${UNSET} } } }`, []],
  [`dashboard: { port: ${UNSET} }`, ["dashboard"]],
  [`dashboard: { enabled: true, port: ${UNSET} }`, ["serve", "dashboard"]],
  [`dashboard: { enabled: ${UNSET} }`, ["serve", "dashboard"]],
  [`logging: { stream: { destinations: [{ type: file, path: ${UNSET} }] } }`, [...GATEWAYS, "daemon", "worker"]],
  [`logging: { stream: { enabled: false, destinations: [{ type: file, path: ${UNSET} }] } }`, []],
  [`hooks: { pre_tool_call: [{ command: ${UNSET} }] }`, []],
  [`background: { timeout: ${UNSET} }`, ["serve", "daemon", "task", "worker"]],
  [`webhooks: { auth: { type: bearer, token: ${UNSET} } }`, [...TURNS, "webhooks", "worker"]],
  [`inbox: { order: ${UNSET} }`, ["serve", "daemon"]],
  [`daemons: [{ name: ${UNSET} }]`, ["serve"]],
  [`inbound: [{ name: one, bind: "localhost:1", script: ${UNSET} }]`, ["inbound"]],
  [`mcp_servers: { one: { command: ${UNSET} } }`, ["mcp"]],
  [`mcp_servers: { other: { url: "http://x.example", headers: { A: ${UNSET} } } }`, []],
  [`inbound: [{ name: other, bind: "localhost:1", script: ${UNSET} }]`, []],
];

for (const [text, refusedBy] of CASES) {
  test(`${text}: ${refusedBy.join(", ") || "nobody"}`, async () => {
    for (const env of [{}, { UNSET: "" }]) {
      const config = await parseConfig(text, "/home/config.yaml", env);
      const refusing = [...SURFACES, "plugin" as const, "mcp" as const].filter((surface) => {
        try {
          demandFor(surface, config, "one");
          return false;
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, "HERMES_CONFIG_VARIABLE");
          return true;
        }
      });
      assert.deepEqual(refusing, refusedBy);
    }
  });
}
