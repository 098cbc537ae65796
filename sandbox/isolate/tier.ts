/**
 * The tier for gateway hooks that the user does not trust: handlers run in isolates of isolated-vm, in a process that
 * can be killed (DESIGN, "Trust tiers"). docs/sandbox.md says what a handler can do here and what it cannot.
 */
import type { LookupFunction } from "node:net";
import type { Log } from "#core/home/log";
import type { HandlerTier } from "#core/ports/tier";
import { HookFetch } from "./fetch.ts";
import { IsolateHandler } from "./handler.ts";
import { IsolateHosts } from "./hosts.ts";
import type { HookValues } from "./values.ts";

export interface IsolateTierOptions {
  /** The source of the `allow.env` variables. The processes get only the language and time zone of it. */
  readonly env: NodeJS.ProcessEnv;
  /** The storage of `host.kv`: `createHookValues` of values.ts. */
  readonly values: HookValues;
  readonly log: Log;
  /** Resolves the names of `host.fetch`; the system's by default. */
  readonly lookup?: LookupFunction;
}

/** Creates the tier. Nothing is started before the first event of a hook, or `prepare`. */
export function createIsolateTier({ env, values, log, lookup }: IsolateTierOptions): HandlerTier {
  const hosts = new IsolateHosts({ env, log });
  const fetch = new HookFetch(lookup === undefined ? {} : { lookup });
  const services = { env, values, fetch };
  return {
    source: "isolate",
    prepare: () => hosts.prepare(),
    open: (hook, report) => new IsolateHandler({ hook, report, hosts, services }),
    async [Symbol.asyncDispose]() {
      await hosts[Symbol.asyncDispose]();
      await fetch[Symbol.asyncDispose]();
    },
  };
}
