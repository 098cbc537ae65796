/**
 * The tier for gateway hooks that the user does not trust: handlers run in isolates of isolated-vm, these in a process
 * that can be killed (DESIGN, "Trust tiers"). docs/sandbox.md says what a handler can do here and what it cannot.
 */
import type { Log } from "#core/home/log";
import type { HandlerTier } from "#core/ports/tier";
import { HookFetch } from "./fetch.ts";
import { IsolateHandler } from "./handler.ts";
import { IsolateHosts } from "./hosts.ts";
import type { HookValues } from "./values.ts";

export interface IsolateTierOptions {
  /** Where `allow.env` takes its variables from. The processes get nothing of it but the language and time zone. */
  readonly env: NodeJS.ProcessEnv;
  /** What `host.kv` keeps: `createHookValues` of values.ts. */
  readonly values: HookValues;
  readonly log: Log;
}

/** Makes the tier. Nothing is started before the first event of the first hook. */
export function createIsolateTier({ env, values, log }: IsolateTierOptions): HandlerTier {
  const hosts = new IsolateHosts({ env, log });
  const fetch = new HookFetch();
  const services = { env, values, fetch };
  return {
    source: "isolate",
    open: (hook, report) => new IsolateHandler({ hook, report, hosts, services }),
    async [Symbol.asyncDispose]() {
      await hosts[Symbol.asyncDispose]();
      await fetch[Symbol.asyncDispose]();
    },
  };
}
