/**
 * Finds what a change of the files would loosen: a person decides about that, watching files does not (CONTRACT §5, last
 * paragraph). One row per kind of guard; pure.
 */
import { isDeepStrictEqual } from "node:util";
import type { GuardState, HookBounds, PluginGuard, ShellGuard } from "#core/ports/guards";
import type { WallProfile } from "#core/ports/wall";
import { excess, grantsOf } from "#gateway/hooks/untrusted";

/** Finds loosenings of one kind, as clauses. */
type Row = (before: GuardState, after: GuardState) => readonly string[];

/** By kind. */
export const LOOSENINGS = {
  consent: ({ consent }, after) =>
    consent === "pinned" && after.consent !== "pinned" ? ["hooks_consent is no longer pinned"] : [],
  autoAccept: ({ autoAccept }, after) => (!autoAccept && after.autoAccept ? ["hooks_auto_accept is switched on"] : []),
  walls: ({ walls }, after) =>
    (Object.keys(walls) as (keyof typeof walls)[])
      .filter((key) => isWeakerWall(walls[key], after.walls[key]))
      .map((key) => `sandbox.${key} becomes ${nameOfWall(after.walls[key])}`),
  shell: ({ shell }, after) => shell.flatMap((guard) => loosenedShell(guard, after.shell)),
  plugins: ({ plugins }, after) => plugins.flatMap((guard) => loosenedPlugin(guard, after.plugins)),
  gatewayHooks: ({ gatewayHooks }, after) => gatewayHooks.flatMap((hook) => loosenedHook(hook, after.gatewayHooks)),
  untrusted: (before, after) => before.untrusted.flatMap((directory) => loosenedTrust(directory, before, after)),
} as const satisfies Readonly<Record<string, Row>>;

/** What `after` loosens of `before`, a clause each; empty when nothing. */
export function findLoosenings(before: GuardState, after: GuardState): readonly string[] {
  return [...new Set(Object.values(LOOSENINGS).flatMap((row: Row) => row(before, after)))];
}

/** Compares with the entry that kept most: with several entries of one command, each may keep another one. */
function loosenedShell(guard: ShellGuard, after: readonly ShellGuard[]): readonly string[] {
  const { label, event, command, terms } = guard;
  const same = after.filter((other) => other.event === event && other.command === command);
  const compared = same.filter((other) => isDeepStrictEqual(other.terms, terms)).map((other) => weaker(guard, other));
  const [best] = compared.toSorted((left, right) => left.length - right.length);
  return best?.map((clause) => `${label} ${clause}`) ?? [`${label} is removed, disabled or replaced`];
}

function weaker(before: ShellGuard, after: ShellGuard): readonly string[] {
  const clauses: string[] = [];
  if (after.matcher !== before.matcher) clauses.push("has another matcher");
  if (after.timeoutSeconds < before.timeoutSeconds) clauses.push(`gets less time (${after.timeoutSeconds} s)`);
  if (before.failClosed && !after.failClosed) clauses.push("is no longer fail_closed");
  if (before.missingScript === null && after.missingScript !== null) {
    clauses.push(`has lost its script (${after.missingScript})`);
  }
  return clauses;
}

function loosenedPlugin(guard: PluginGuard, after: readonly PluginGuard[]): readonly string[] {
  const { directory, name, event } = guard;
  const label = `plugin "${name}"`;
  const same = after.filter((other) => other.directory === directory && other.event === event);
  if (same.length === 0) return [`${label} no longer guards ${event}`];
  const clauses: string[] = [];
  if (guard.blocks && !same.some(({ blocks }) => blocks)) clauses.push(`${label} is no longer "on_error: block"`);
  const seconds = Math.max(...same.map(({ timeoutSeconds }) => timeoutSeconds));
  if (seconds < guard.timeoutSeconds) clauses.push(`${label} gets less time (${seconds} s)`);
  return clauses;
}

/** A hook that took the name of another one is compared with that one. */
function loosenedHook(hook: HookBounds, after: readonly HookBounds[]): readonly string[] {
  if (hook.isolation !== "isolate") return [];
  const successor =
    after.find(({ directory }) => directory === hook.directory) ?? after.find(({ name }) => name === hook.name);
  if (successor === undefined) return [];
  const label = `the isolated gateway hook "${hook.name}"`;
  if (successor.isolation !== "isolate") return [`${label} asks for isolation: ${successor.isolation}`];
  const grown = excess(successor.allow, hook.allow);
  return grown.length === 0 ? [] : [`${label} asks for more: ${grown.join(", ")}`];
}

function loosenedTrust(directory: string, before: GuardState, after: GuardState): readonly string[] {
  if (!after.untrusted.includes(directory)) return [`gateway.hooks.untrusted no longer names ${directory}`];
  const grown = excess(grantsOf(directory, after), grantsOf(directory, before));
  return grown.length === 0 ? [] : [`gateway.hooks.grants.${directory} grants more: ${grown.join(", ")}`];
}

/** The more, the stricter. A mapping protects the home, as `guard` does, and may open everything else. */
const STRICTNESS = { off: 0, auto: 1, guard: 2, workspace: 4, "read-only": 5 } as const;
const MAPPING = 3;

function isWeakerWall(before: WallProfile, after: WallProfile): boolean {
  if (isDeepStrictEqual(before, after)) return false;
  const [was, is] = [strictness(before), strictness(after)];
  // Two mappings are not compared path by path: another one may be weaker.
  return is < was || (is === was && typeof before === "object");
}

function strictness(profile: WallProfile): number {
  return typeof profile === "string" ? STRICTNESS[profile] : MAPPING;
}

function nameOfWall(profile: WallProfile): string {
  return typeof profile === "string" ? profile : "another mapping";
}
