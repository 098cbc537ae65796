/** Hosts a home's gateway hooks: finds them, registers them, and reloads what has changed. */
import { dirname } from "node:path";
import { withDeadline } from "#core/deadline";
import { isDeepStrictEqual } from "node:util";
import { problemOf } from "#core/errors";
import { inSlices, ManifestCache } from "#core/extensions/discover";
import { isSource } from "#core/extensions/fingerprint";
import { nextVersion, type VersionKind } from "#core/extensions/last-good";
import type { Log } from "#core/home/log";
import type { HookBounds } from "#core/ports/guards";
import type { HookIdentity, RunSink } from "#core/ports/hook";
import type { HookRegistry } from "#core/registry";
import { discoverGatewayHooks, type GatewayHookDiscovery, type FoundGatewayHook } from "./discover.ts";
import type { HookManifest } from "./manifest.ts";
import { LoadedGatewayHook, type LoadedGatewayHookDeps } from "./loaded-hook.ts";
import { dismiss, type CapturedEvent } from "./queue.ts";
import { Registrations } from "./registrations.ts";
import type { GatewayHookSettings } from "./settings.ts";
import {
  boundsOf,
  describe,
  holdersOf,
  loadedOf,
  newsOf,
  type GatewayHookListing,
  type GatewayHooksReload,
  type HookState,
} from "./states.ts";
import type { CodeCheck, HandlerTier, HookVersion, TierCheck } from "#core/ports/tier";
import { TIERS, type TierName } from "#core/tiers";

export interface GatewayHooksDeps {
  /** The home's `hooks/`. */
  readonly folder: string;
  readonly registry: Pick<HookRegistry, "register">;
  readonly record: RunSink;
  readonly log: Log;
  /** Shows a message to the user. */
  readonly warn: (sentence: string) => void;
  /** Loads nothing. */
  readonly safeMode: boolean;
  readonly settings: () => GatewayHookSettings;
  readonly findTierProblem?: TierCheck | undefined;
  readonly findCodeProblem: CodeCheck;
  /** Called at the first event that needs the tier. A failure is tried again at the next. */
  readonly createTier: (name: TierName) => Promise<HandlerTier>;
}

/** Hooks that were prepared next to the running ones, none of them started. */
export interface StagedGatewayHooks {
  /** The bounds of the running hooks, and of those that would run. */
  readonly before: readonly HookBounds[];
  readonly after: readonly HookBounds[];
  /** Replaces the running ones in one step. Must be called before the next reload begins, or not at all. */
  swap(): GatewayHooksReload;
}

export interface GatewayHooksRequest {
  /** Also checks files that are not code. */
  readonly everyFile?: boolean | undefined;
  /** In place of the host's. */
  readonly settings?: GatewayHookSettings | undefined;
}

export interface GatewayHooks extends AsyncDisposable {
  /** Finds the hooks and registers them. Never rejects: unusable ones cause warnings and are listed. */
  load(): Promise<void>;
  /**
   * Reloads what has changed in one step, so that an event reaches either the old hooks or the new ones. Never rejects;
   * reloads run one at a time.
   */
  reload(request?: GatewayHooksRequest): Promise<GatewayHooksReload>;
  /** Prepares a reload, for a caller that decides whether it happens. Never rejects. */
  stage(request?: GatewayHooksRequest): Promise<StagedGatewayHooks>;
  /** Every folder, by name. */
  list(): readonly GatewayHookListing[];
  /** Every hook, once per event. */
  identities(): readonly HookIdentity[];
  /** Waits until all events are handled, for at most `ms`; false when some are not. */
  drain(ms: number): Promise<boolean>;
}

/** A program that has run for this long with its hooks is no short command: what their first event needs is started. */
const PREPARE_MS = 1000;

const NOTHING: GatewayHooksReload = { changes: [], warnings: [], failures: [] };

export function createGatewayHooks(deps: GatewayHooksDeps): GatewayHooks {
  const { folder, registry, log, warn, safeMode } = deps;
  const manifests = new ManifestCache<HookManifest>();
  const made = new Map<TierName, Promise<HandlerTier>>();
  /** Replaced versions that still handle earlier events. */
  const retiring = new Set<LoadedGatewayHook>();
  const leaving = new Set<Promise<unknown>>();
  let slots: ReadonlyMap<string, HookState> = new Map();
  let reloading: Promise<unknown> = Promise.resolve();
  let closed = false;
  let preparing: NodeJS.Timeout | undefined;

  const registrations = new Registrations(registry, (directory) => slots.get(directory)?.running);
  const loadedDeps: LoadedGatewayHookDeps = { record: deps.record, log, warn, tier };

  const kind: VersionKind<FoundGatewayHook, LoadedGatewayHook> = {
    wantedOf(found) {
      if (found.kind === "skipped") return { kind: found.gone ? "off" : "broken", problem: found.reason };
      return found.hook.enabled ? { kind: "usable" } : { kind: "off", problem: null };
    },
    folderOf: (found) => (found.kind === "hook" ? found.hook.folder : null),
    isCurrent: (found, { hook }) => found.kind === "hook" && isDeepStrictEqual(found.hook, hook),
    async load(found, sources, before) {
      if (found.kind === "skipped") throw new Error(found.reason);
      const { hook } = found;
      // Without an earlier version there is nothing to keep: the first event reports the problem.
      const problem = before && (await findHookProblem({ ...hook, sources }, deps.findCodeProblem));
      if (problem) throw new Error(problem);
      return new LoadedGatewayHook({ hook, sources }, loadedDeps);
    },
    describe: problemOf,
  };

  /** One tier of each kind, created when first needed. */
  function tier(name: TierName): Promise<HandlerTier> {
    let promise = made.get(name);
    if (promise === undefined) {
      promise = deps.createTier(name).catch((error: unknown) => {
        made.delete(name);
        throw error;
      });
      made.set(name, promise);
    }
    return promise;
  }

  function prepareTiers(): void {
    preparing = undefined;
    const used = new Set([...loadedOf(slots).values()].map(({ hook }) => hook.isolation));
    for (const { name } of TIERS.filter((row) => row.startsAhead && used.has(row.name))) {
      tier(name).then(
        (created) => created.prepare?.(),
        // The first event tries again and reports it.
        (error: unknown) => log.debug(`the tier "${name}" could not be prepared: ${problemOf(error)}`),
      );
    }
  }

  async function load(): Promise<void> {
    const { warnings, failures } = await reload();
    for (const sentence of [...warnings, ...failures]) {
      log.warn(sentence);
      warn(sentence);
    }
  }

  function reload(request: GatewayHooksRequest = {}): Promise<GatewayHooksReload> {
    return inTurn(async () => (await prepare(request)).swap());
  }

  function stage(request: GatewayHooksRequest = {}): Promise<StagedGatewayHooks> {
    return inTurn(() => prepare(request));
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = reloading.then(work);
    reloading = next;
    return next;
  }

  async function prepare(request: GatewayHooksRequest): Promise<StagedGatewayHooks> {
    const before = boundsOf(slots);
    if (safeMode || closed) return { before, after: before, swap: () => NOTHING };
    try {
      const { next, discovery } = await prepareVersions(request);
      return { before, after: boundsOf(next), swap: () => (closed ? NOTHING : swap(next, discovery)) };
    } catch (error) {
      // The folder was deleted meanwhile; keep what is running.
      const failures = [`${folder}: ${problemOf(error)}`];
      return { before, after: before, swap: () => ({ ...NOTHING, failures }) };
    }
  }

  async function prepareVersions({ everyFile = false, settings = deps.settings() }: GatewayHooksRequest) {
    const discovery = await discoverGatewayHooks(folder, {
      settings,
      findTierProblem: deps.findTierProblem,
      known: manifests,
      holders: holdersOf(slots),
    });
    const next = new Map<string, HookState>();
    await inSlices(discovery.hooks, async (found) => {
      const before = slots.get(found.directory);
      next.set(found.directory, { ...(await nextVersion(kind, found, { before, everyFile })), found });
    });
    return { next, discovery };
  }

  /** Synchronous, so that no event comes in between. */
  function swap(next: ReadonlyMap<string, HookState>, { warnings: general }: GatewayHookDiscovery): GatewayHooksReload {
    const before = loadedOf(slots);
    const after = loadedOf(next);
    const changes: string[] = [];
    for (const [directory, loaded] of before) {
      const successor = after.get(directory);
      if (successor === loaded) continue;
      if (successor === undefined) changes.push(`gateway hook "${loaded.hook.name}" is no longer loaded`);
      const rest = retire(loaded);
      if (successor !== undefined) successor.follow(loaded, rest);
      else void rest.then((events) => events.forEach(dismiss));
    }
    for (const [directory, { hook }] of after) {
      const old = before.get(directory);
      if (old === undefined) changes.push(`gateway hook "${hook.name}" is loaded`);
      else if (old !== after.get(directory)) changes.push(`gateway hook "${hook.name}" is reloaded`);
    }
    registrations.update([...after.values()]);
    slots = next;
    preparing ??= setTimeout(prepareTiers, PREPARE_MS).unref();
    return { changes, ...newsOf(next, general) };
  }

  /** Never rejects. */
  function retire(loaded: LoadedGatewayHook): Promise<readonly CapturedEvent[]> {
    retiring.add(loaded);
    const rest = loaded.retire().catch((error: unknown) => {
      log.error(`gateway hook "${loaded.hook.name}" could not be closed: ${problemOf(error)}`);
      return [];
    });
    const gone = rest.then(() => {
      retiring.delete(loaded);
      leaving.delete(gone);
    });
    leaving.add(gone);
    return rest;
  }

  async function drain(ms: number): Promise<boolean> {
    const all = [...leaving, ...[...loadedOf(slots).values()].map((loaded) => loaded.idle())];
    const drained = await withDeadline(ms, () => Promise.all(all));
    return drained.kind === "value";
  }

  async function dispose(): Promise<void> {
    closed = true;
    await reloading;
    clearTimeout(preparing);
    registrations.update([]);
    const loaded = [...loadedOf(slots).values(), ...retiring];
    slots = new Map();
    await Promise.all(loaded.map((one) => one.close()));
    for (const promise of made.values()) {
      // If a tier could not be created, the event that needed it has reported that.
      const tierMade = await promise.catch(() => undefined);
      await tierMade?.[Symbol.asyncDispose]();
    }
    await Promise.all(leaving);
  }

  return {
    load,
    reload,
    stage,
    list: () => [...slots.values()].map(describe),
    identities: () => [...loadedOf(slots).values()].flatMap(({ identities }) => identities),
    drain,
    [Symbol.asyncDispose]: dispose,
  };
}

/** What is wrong with the code, as a sentence; null when no problem was found. */
async function findHookProblem(version: HookVersion, findCodeProblem: CodeCheck): Promise<string | null> {
  const { folder, sources } = version;
  const beside = [...(sources?.keys() ?? [])].filter((path) => dirname(path) === folder && isSource(path));
  const problem = await findCodeProblem(version, beside);
  return problem === null ? null : `${problem}.`;
}
