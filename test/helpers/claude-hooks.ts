/** Runs commands as hooks of `protocol: claude` or another, through the dispatcher. */
import { resolve } from "node:path";
import { grantExplicitTest } from "#allowlist/decide";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS, type EventName } from "#core/events";
import type { HookRun } from "#core/ports/hook";
import { parseHookEntries } from "#sandbox/shell/entries";
import type { ShellContext } from "#sandbox/shell/protocol";
import { createShellHook } from "#sandbox/shell/hook";

/** Where the commands run. */
export const fixtures = resolve(import.meta.dirname, "../fixtures");

export interface Setting {
  readonly event?: EventName;
  readonly payload?: object;
  readonly entry?: object;
  readonly shellContext?: Partial<ShellContext>;
}

export interface Fired {
  readonly decision: Decision;
  readonly runs: readonly HookRun[];
  readonly warnings: readonly string[];
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A command that prints this and ends so, in the shell's own words. */
export function says(stdout: unknown, stderr = "", exit = 0): string {
  const text = typeof stdout === "string" ? stdout : JSON.stringify(stdout);
  return `cat >/dev/null; printf %s ${quoted(text)}; printf %s ${quoted(stderr)} >&2; exit ${exit}`;
}

/** Fires an event through one `protocol: claude` entry for each command. */
export async function fire(commands: string | readonly string[], setting: Setting = {}): Promise<Fired> {
  const { event = "pre_tool_call", payload = {}, entry = {} } = setting;
  const dispatcher = new HookDispatcher();
  const runs: HookRun[] = [];
  const warnings: string[] = [];
  const entries = [commands].flat().map((command) => ({ command, protocol: "claude", ...entry }));
  for (const parsed of parseHookEntries({ [event]: entries }).entries) {
    const shellContext = { cwd: fixtures, home: "/the/home", env: process.env, ...setting.shellContext };
    const warn = (sentence: string) => void warnings.push(sentence);
    dispatcher.register(createShellHook(parsed, { decide: grantExplicitTest, shellContext, warn }));
  }
  const fields = { ...EVENTS[event].sample(), ...payload };
  const decision = await dispatcher.invoke_hook(event, fields, { onRun: (run) => void runs.push(run) });
  return { decision, runs, warnings };
}
