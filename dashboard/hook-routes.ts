/** The HTTP API for the hooks that are configured, whether they have run or not. */
import type { FastifyInstance } from "fastify";
import { problemOf } from "#core/errors";
import type { RequestAccess } from "./access.ts";

/** What is configured, secrets included: the elements of `hermes hooks list --json`. */
export interface ConfiguredHooks {
  readonly hooks: readonly object[];
  readonly warnings: readonly string[];
}

export interface HookRouteParts {
  readonly access: RequestAccess;
  /** Reads what is configured now; undefined where that is not known. */
  readonly configured: (() => Promise<ConfiguredHooks>) | undefined;
  readonly redact: (text: string) => string;
}

/** Reading the configuration and looking at scripts takes a moment; several pages share one answer. */
const FRESH_MS = 5000;

export function addHookRoutes(app: FastifyInstance, { access, configured, redact }: HookRouteParts): void {
  let last: { readonly at: number; readonly answer: Promise<string> } | undefined;

  /** As JSON. A configuration that cannot be read is an answer, too. */
  async function read(): Promise<string> {
    if (configured === undefined) return JSON.stringify({ hooks: [], warnings: [] });
    try {
      const { hooks, warnings } = await configured();
      return JSON.stringify({ hooks, warnings }, cleaned);
    } catch (error) {
      return JSON.stringify({ hooks: [], warnings: [problemOf(error)] }, cleaned);
    }
  }

  /** Texts without secrets, before JSON's escapes could hide one. */
  function cleaned(_key: string, value: unknown): unknown {
    return typeof value === "string" ? redact(value) : value;
  }

  app.get("/api/hooks", { onRequest: access.either }, async (_request, reply) => {
    const now = performance.now();
    if (last === undefined || now - last.at > FRESH_MS) last = { at: now, answer: read() };
    reply.type("application/json; charset=utf-8");
    return last.answer;
  });
}
