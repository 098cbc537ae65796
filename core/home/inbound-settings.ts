/** The settings of inbound webhooks, below `inbound` (CONTRACT §13, seed 001 "Webhook Hooks"). */
import type { z } from "zod";
import { isLoopback } from "#core/loopback";
import type { Zod } from "#core/zod";
import { parseAddress } from "./logging-settings.ts";

/** How a request proves that it comes from its sender. */
export const VERIFICATIONS = ["github", "gitlab", "stripe", "slack", "standard-webhooks", "bearer", "none"] as const;

export const INBOUND_DEFAULTS = {
  timeout: 30,
  path: "*",
  methods: ["POST"],
  max_body: 1_048_576,
  concurrency: 4,
  queue: 100,
} as const;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const BIG = 1_000_000;

export type Verification = (typeof VERIFICATIONS)[number];
export type InboundSettings = z.infer<ReturnType<typeof inboundHookSchema>>;

/** The list of hooks. `wallProfile` is the schema of a sandbox profile. */
export function inboundSchema<Profile extends z.ZodType>(zod: Zod, wallProfile: Profile) {
  return zod.array(inboundHookSchema(zod, wallProfile)).check((context) => {
    const { value: input } = context;
    for (const problem of findClashes(input)) {
      context.issues.push({ code: "custom", input, path: [problem.index, problem.key], message: problem.message });
    }
  });
}

function inboundHookSchema<Profile extends z.ZodType>(zod: Zod, wallProfile: Profile) {
  const text = zod.string().min(1);
  const header = zod.string().regex(HEADER_NAME, "expected the name of a header");
  return zod
    .strictObject({
      name: zod
        .string()
        .regex(
          NAME,
          'expected a name of at most 100 letters, digits, ".", "_" and "-", starting with a letter or digit',
        ),
      bind: zod.string().refine((bind) => parseAddress(bind) !== null, "expected host:port, such as 127.0.0.1:9876"),
      script: text.describe("The program that gets the body on standard input"),
      timeout: zod.int().min(1).max(3600).optional().describe("Seconds that the script may take; 30 by default"),
      path: zod
        .string()
        .regex(/^(?:\*|\/[^?#\s]*)$/, 'expected a path that begins with "/", or "*" for every path')
        .optional()
        .describe("The path of the requests; * by default, which is every path without a hook of its own"),
      methods: zod.array(zod.enum(METHODS)).min(1).optional().describe("POST by default"),
      verify: zod.enum(VERIFICATIONS).optional().describe("How requests are verified"),
      secret: text.optional().describe("What the sender signs with, or its token"),
      env: zod
        .array(zod.string().regex(VARIABLE_NAME, "expected the name of a variable"))
        .optional()
        .describe("Variables that the script gets although they are named like secrets"),
      max_body: zod
        .int()
        .min(1)
        .max(100 * 1_048_576)
        .optional()
        .describe("Bytes of a body; 1048576 by default"),
      concurrency: zod.int().min(1).max(256).optional().describe("Scripts at a time; 4 by default"),
      queue: zod.int().min(0).max(BIG).optional().describe("Requests that may wait for a script; 100 by default"),
      rate_limit: zod.int().min(1).max(BIG).optional().describe("Requests a minute; no limit by default"),
      dedup_header: header.optional().describe("The header with the id that a repeated request has again"),
      async: zod.boolean().optional().describe("Whether to answer 202 at once and run the script later"),
      respond: zod.enum(["status", "script"]).optional().describe("Who makes the answer; status by default"),
      coalesce: zod
        .strictObject({
          key: zod
            .string()
            .regex(
              /^(?:header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|[^\s.]+(?:\.[^\s.]+)*)$/,
              "expected a path such as repository.full_name, or header:NAME",
            ),
          window_seconds: zod.number().min(0.1).max(3600).describe("How long outputs are collected"),
        })
        .optional()
        .describe("Makes one message of the outputs of requests with the same key"),
      sandbox: wallProfile.optional(),
    })
    .check((context) => {
      const { value: input } = context;
      const found = findContradiction(input);
      if (found === undefined) return;
      context.issues.push({ code: "custom", input, path: [found.key], message: found.message });
    });
}

interface Contradiction {
  readonly key: string;
  readonly message: string;
}

function findContradiction(hook: {
  readonly bind: string;
  readonly verify?: Verification | undefined;
  readonly secret?: string | undefined;
  readonly async?: boolean | undefined;
  readonly respond?: "status" | "script" | undefined;
  readonly coalesce?: unknown;
}): Contradiction | undefined {
  const { bind, verify, secret } = hook;
  const host = parseAddress(bind)?.host;
  if (verify === undefined && host !== undefined && !isLoopback(host)) {
    const choices = VERIFICATIONS.join(", ");
    const message = `required because ${host} can be reached from other machines: one of ${choices}`;
    return { key: "verify", message };
  }
  if (verify === undefined && secret !== undefined)
    return { key: "secret", message: "nothing is verified without verify; add it, or remove the secret" };
  if (verify !== undefined && verify !== "none" && secret === undefined)
    return { key: "secret", message: `required by verify: ${verify}, but missing` };
  if (hook.respond === "script" && hook.async === true)
    return {
      key: "respond",
      message: "the script cannot make the answer with async: true, which answers before it runs",
    };
  if (hook.respond === "script" && hook.coalesce !== undefined)
    return { key: "respond", message: "the script cannot make the answer with coalesce, which answers before it runs" };
  return undefined;
}

/** Two hooks of one name, or on one bind and path. */
function findClashes(
  hooks: readonly { readonly name: string; readonly bind: string; readonly path?: string | undefined }[],
): readonly (Contradiction & { readonly index: number })[] {
  return hooks.flatMap(({ name, bind, path = INBOUND_DEFAULTS.path }, index) => {
    const before = hooks.slice(0, index);
    if (before.some((other) => other.name === name))
      return [{ index, key: "name", message: `two inbound webhooks are named "${name}"; rename one of them` }];
    const place = listenerOf(bind);
    const other = before.find((one) => listenerOf(one.bind) === place && (one.path ?? INBOUND_DEFAULTS.path) === path);
    if (other === undefined) return [];
    const message = `"${other.name}" has the same bind and path; give one of them another "path"`;
    return [{ index, key: path === INBOUND_DEFAULTS.path ? "bind" : "path", message }];
  });
}

/** One text for each address, whatever its spelling. */
export function listenerOf(bind: string): string {
  const { host, port } = parseAddress(bind) ?? { host: bind, port: 0 };
  const name = host.toLowerCase();
  return `${name === "localhost" ? "127.0.0.1" : name} ${port}`;
}
