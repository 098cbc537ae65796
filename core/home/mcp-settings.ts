/** The settings of MCP servers, below `mcp_servers` (CONTRACT §18). */
import type { z } from "zod";
import type { Zod } from "#core/zod";

export const MCP_DEFAULTS = { timeout: 120, connect_timeout: 60 } as const;

const VARIABLE_NAME = /^[^=\0]+$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A day: longer timers fire at once in Node. */
const MOST_SECONDS = 86_400;

export type McpServerSettings = z.infer<ReturnType<typeof mcpServerSchema>>;

/** The mapping of servers by name. */
export function mcpServersSchema(zod: Zod) {
  const name = zod
    .string()
    .regex(/^(?!\s)[^\p{Cc}]{1,100}(?<!\s)$/u, "expected a name of at most 100 characters, without control characters");
  return zod.record(name, mcpServerSchema(zod));
}

function mcpServerSchema(zod: Zod) {
  const text = zod.string().min(1);
  // YAML reads `--port 8080` as a text and a number.
  const word = zod.union([zod.string(), zod.number(), zod.boolean()], { error: "expected a text" });
  const seconds = zod.number().positive().max(MOST_SECONDS);
  const names = zod.array(zod.string());
  return zod
    .strictObject({
      command: text.optional().describe("The program of a server that runs here, which is started without a shell"),
      args: zod.array(word).optional().describe("The program's arguments"),
      env: zod
        .record(zod.string().regex(VARIABLE_NAME, "expected the name of a variable"), word)
        .optional()
        .describe("Variables for the program; of the environment it gets what is not named like a secret"),
      url: zod
        .url({ protocol: /^https?$/, error: "expected an http or https URL" })
        .optional()
        .describe("The address of a server that runs elsewhere"),
      headers: zod
        .record(zod.string().regex(HEADER_NAME, "expected the name of a header"), word)
        .optional()
        .describe("Headers of every request to the URL"),
      enabled: zod.boolean().optional().describe("True by default"),
      timeout: seconds.optional().describe("Seconds that a call may take; 120 by default"),
      connect_timeout: seconds
        .optional()
        .describe("Seconds until the server must have listed its tools; 60 by default"),
      tools: zod
        .strictObject({
          include: names.describe("The only tools to offer, by the server's names; wins over exclude"),
          exclude: names.describe("Tools not to offer"),
        })
        .partial()
        .optional(),
    })
    .check((context) => {
      const { value: input } = context;
      const found = findContradiction(input);
      if (found !== undefined) {
        context.issues.push({ code: "custom", input, path: [...found.path], message: found.message });
      }
    });
}

interface Contradiction {
  readonly path: readonly string[];
  readonly message: string;
}

/** A server is either a program or an address. */
function findContradiction(server: {
  readonly command?: unknown;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly url?: unknown;
  readonly headers?: unknown;
}): Contradiction | undefined {
  const { command, args, env, url, headers } = server;
  if (command !== undefined && url !== undefined) {
    return { path: ["url"], message: 'a server has "command" or "url", not both; remove one of them' };
  }
  if (command === undefined && url === undefined) {
    return { path: [], message: 'expected "command" for a program to start, or "url" for a server elsewhere' };
  }
  if (url !== undefined) {
    const key = args === undefined ? (env === undefined ? undefined : "env") : "args";
    return key === undefined ? undefined : { path: [key], message: `"${key}" needs "command"; a URL has "headers"` };
  }
  return headers === undefined
    ? undefined
    : { path: ["headers"], message: '"headers" needs "url"; a program has "env"' };
}
