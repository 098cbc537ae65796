/**
 * The schema of `config.yaml` (CONTRACT §2). It only validates. Defaults are in config-defaults.ts, so a file
 * that needs no validation loads neither zod nor the schema. `hermes config schema` prints its JSON Schema for editors.
 * The `hooks:` block is left open here; `sandbox/shell/entries.ts` validates it entry by entry.
 */
import type { z } from "zod";
import { WALL_PROFILES } from "#core/ports/wall";
import type { Zod } from "#core/zod";
import { forwardSchema } from "./forward-settings.ts";
import { inboundSchema } from "./inbound-settings.ts";
import { loggingSchema } from "./logging-settings.ts";
import { mcpServersSchema } from "./mcp-settings.ts";
import { monitoringSchema } from "./monitoring-settings.ts";
import { platformsSchema, portNumber, userList } from "./platform-settings.ts";
import { recordSchema } from "./record-settings.ts";
import { databaseUrlProblem } from "./database-url.ts";
import { webhooksSchema } from "./webhook-settings.ts";

export function buildConfigSchema(zod: Zod) {
  const port = portNumber(zod);
  const names = zod.array(zod.string());
  const users = userList(zod);
  const open = zod.record(zod.string(), zod.unknown());
  const seconds = zod.number().positive();
  const wallProfile = buildWallProfileSchema(zod);
  return zod.strictObject({
    model: zod
      .strictObject({
        provider: zod
          .enum(["offline", "openai", "anthropic", "openrouter", "openai-compatible", "auto"])
          .describe("Who serves the model; auto is as if it were absent"),
        default: zod.string().min(1).describe("The provider's ID of the model"),
        base_url: zod.url({ protocol: /^https?$/, error: "expected an http or https URL" }),
        api_key: zod.string(),
        max_retries: zod.int().min(0).max(20).describe("How often a failed request is retried"),
        timeout_seconds: seconds
          .max(86_400)
          .describe("How long the server may send nothing, before the first byte and between two pieces"),
        images: zod.boolean().describe("Whether the model takes images"),
        context_length: zod.int().min(1000).describe("The size of the model's context in tokens"),
        prices: zod
          .strictObject({ input: zod.number().min(0), output: zod.number().min(0) })
          .describe("Prices of a million tokens, in any currency"),
      })
      .partial()
      .optional()
      .describe("The model to use; by default that of the provider whose API key is in the environment, else offline"),
    agent: zod
      .strictObject({
        max_iterations: zod.int().min(1).max(100_000).describe("Maximum number of model requests per turn"),
        instructions: zod
          .boolean()
          .describe("False to never follow AGENTS.md and CLAUDE.md; otherwise each repository asks once"),
        env_passthrough: names.describe(
          "Environment variables to pass to terminal commands although they are named like secrets",
        ),
      })
      .partial()
      .optional(),
    hooks: zod.unknown().optional().describe("Shell hooks: event → list of {command, matcher?, timeout?, …}"),
    hooks_auto_accept: zod.boolean().optional().describe("Approve every configured shell hook without asking"),
    hooks_consent: zod.enum(["command", "pinned"]).optional(),
    hooks_limits: zod
      .strictObject({
        context: zod.int().min(1).describe("Most characters of context that a hook adds to a message"),
        message: zod.int().min(1).describe("Most characters of the message of a block"),
      })
      .partial()
      .optional(),
    plugins: zod
      .strictObject({
        enabled: names.describe("Plugins to load, by name or directory"),
        disabled: names,
        callback_timeout_seconds: seconds.describe("Timeout of a plugin callback"),
        entries: zod.record(
          zod.string(),
          zod.strictObject({ settings: open.optional(), on_error: zod.enum(["skip", "block"]).optional() }),
        ),
      })
      .partial()
      .optional(),
    sessions: zod
      .strictObject({
        retention_days: zod.int().min(0).describe("Days after which an unused session is deleted; 0 keeps all"),
        compact_at: zod
          .number()
          .min(0)
          .max(1)
          .describe("The part of the model's context at which a session compacts itself; 0 is never"),
      })
      .partial()
      .optional(),
    gateway: zod
      .strictObject({
        platforms: platformsSchema(zod),
        allowed_users: users.optional(),
        home_channel: zod
          .strictObject({ platform: zod.string(), chat_id: zod.union([zod.string(), zod.int()]) })
          .optional(),
        busy: zod
          .enum(["interrupt", "queue", "steer"])
          .optional()
          .describe("What a new message does to a turn that is running in its conversation; interrupt by default"),
        idle_reset_minutes: zod
          .number()
          .min(0)
          .optional()
          .describe("Minutes after which an idle conversation continues in a new session; 0, the default, is never"),
        group_sessions_per_user: zod
          .boolean()
          .optional()
          .describe("One conversation per user in groups; on by default"),
        thread_sessions_per_user: zod
          .boolean()
          .optional()
          .describe("One conversation per user in threads; off by default"),
        hooks: buildGatewayHooksSchema(zod).optional(),
      })
      .optional(),
    dashboard: zod
      .strictObject({
        enabled: zod.boolean().describe("Whether hermes serve runs the dashboard; false by default"),
        host: zod.string(),
        port,
        allowed_hosts: names,
      })
      .partial()
      .optional(),
    forward: forwardSchema(zod).optional().describe("Where events are sent beside the dashboard"),
    background: zod
      .strictObject({
        enabled: zod.boolean().describe("Whether tasks may run in the background; true by default"),
        max_concurrent: zod.int().min(1).max(1000).describe("Background tasks at a time; 5 by default"),
        timeout: zod.number().min(0).describe("Seconds that a task may take; 3600 by default, 0 for no limit"),
        persist_on_restart: zod.boolean().describe("Whether a task that was killed is run once more; true by default"),
        retention_days: zod.number().min(0).describe("Days after which an ended task is deleted; 30 by default"),
      })
      .partial()
      .optional(),
    webhooks: webhooksSchema(zod).optional(),
    monitoring: monitoringSchema(zod).optional(),
    logging: loggingSchema(zod).optional(),
    storage: zod
      .string()
      .check((context) => {
        const problem = databaseUrlProblem(context.value);
        if (problem !== null) context.issues.push({ code: "custom", message: problem, input: context.value });
      })
      .optional()
      .describe("postgres://… to share tasks, deliveries, inboxes and schedules between machines"),
    record: recordSchema(zod).optional().describe("Keeps what hooks were fired with, for hermes hooks replay"),
    inbound: inboundSchema(zod, wallProfile).optional().describe("Webhooks that daemons receive"),
    inbox: zod.strictObject({ order: zod.enum(["priority", "fifo"]).optional() }).optional(),
    daemons: zod
      .array(
        zod.strictObject({
          name: zod.string().describe("The name of the session, for hermes send"),
          hooks: names.optional().describe("Names of entries in inbound whose webhooks it receives"),
          prompt: zod.string().optional().describe("The first message of its session"),
        }),
      )
      .optional()
      .describe("Sessions that hermes serve runs"),
    python: zod.string().optional().describe("The Python interpreter for Python handlers"),
    sandbox: zod
      .strictObject({ tools: wallProfile, hooks: wallProfile, inbound: wallProfile })
      .partial()
      .optional()
      .describe("What commands of the agent, shell hooks and inbound scripts may see and write"),
    mcp_servers: mcpServersSchema(zod).optional().describe("MCP servers whose tools the agent gets, by name"),
  });
}

function buildGatewayHooksSchema(zod: Zod) {
  const names = zod.array(zod.string());
  const grants = zod.strictObject({ fetch: names, env: names, kv: zod.boolean() }).partial();
  return zod
    .strictObject({
      timeout_seconds: zod.number().positive().describe("Timeout of a gateway hook that sets none"),
      untrusted: names.describe("Folders in hooks/ to hold to the isolate and to their grants"),
      grants: zod.record(zod.string(), grants).describe("What an untrusted hook may use at most, by folder"),
    })
    .partial();
}

/** A profile of the sandbox (CONTRACT §15), also as an entry of `hooks:` may name one. */
function buildWallProfileSchema(zod: Zod) {
  return zod.union(
    [
      zod.enum(WALL_PROFILES),
      zod
        .strictObject({
          write: zod.array(zod.string()).describe("Paths that can be written"),
          hide: zod.array(zod.string()).describe("Paths that cannot be read"),
          network: zod.enum(["none", "full"]),
        })
        .partial(),
    ],
    { error: `expected one of ${WALL_PROFILES.join(", ")}, or a mapping of write, hide and network` },
  );
}

export type ConfigSchema = ReturnType<typeof buildConfigSchema>;
export type RawConfig = z.infer<ConfigSchema>;
