/** Applies a changed home without a restart: configuration, shell hooks, plugins, and what other parts add. */
import { statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { loadConfig, type Config } from "#core/home/config";
import { withDeadline } from "#core/deadline";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";
import type { GuardState, HookBounds } from "#core/ports/guards";
import type { PluginHost } from "#plugins/host";
import { findLoosenings } from "./guards/loosenings.ts";
import { guardSettingsOf } from "./guards/state.ts";
import type { ShellHooks } from "./shell-hooks.ts";

/** What a reload came to. */
export interface ReloadReport {
  /** False if something kept its previous version because the new one is invalid. */
  readonly ok: boolean;
  /** What is different now, a clause each; empty when nothing is. */
  readonly changes: readonly string[];
  /** Failures and warnings, as sentences. */
  readonly problems: readonly string[];
}

export interface ReloadRequest {
  /** Looks at every file of the plugins, not at their code alone; for a person who asks. */
  readonly everyFile?: boolean;
  /** A person asked for it, so what loosens a guard is applied too. */
  readonly mayLoosen?: boolean;
}

/** What is prepared for a reload, beside configuration, shell hooks and plugins. */
export interface StagedPart {
  /** The bounds of the gateway hooks that run, and of those that would. */
  readonly before: readonly HookBounds[];
  readonly after: readonly HookBounds[];
  /** Synchronous. What it returns says what came of it. */
  swap(): (notes: ReloadNotes) => void;
}

/** Prepares a part of a reload, which may be dropped. */
export type ReloadStage = (config: Config, request: ReloadRequest) => Promise<StagedPart>;

/** Takes notes of a running reload. */
export interface ReloadNotes {
  /** Something is different now, as a clause. */
  changed(clause: string): void;
  /** A warning that does not stop the reload, as a sentence. */
  warn(sentence: string): void;
  /** A failure that keeps the previous version, as a sentence. */
  fail(sentence: string): void;
}

/** Called after the swap, one after another; a throw is a failure of the reload. */
export type ReloadListener = (config: Config, notes: ReloadNotes, request: ReloadRequest) => unknown;

/** What a reload works on; the host knows the rest. */
export interface Reloadable {
  readonly paths: HomePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly config: () => Config;
  /** Judges a configuration before anything is swapped. Throws a HermesError for one that cannot be used. */
  readonly check: (config: Config) => void;
  readonly shellHooks: ShellHooks;
  readonly plugins: PluginHost;
  /** Makes this the current configuration. Synchronous. */
  readonly swap: (config: Config) => void;
  readonly stages: Iterable<ReloadStage>;
  readonly listeners: Iterable<ReloadListener>;
  /** Called when something changed. */
  readonly onChange: () => void;
  readonly log: Log;
  /** Shows a warning once. */
  readonly warn: (sentence: string) => void;
  /** Shows a warning each time. */
  readonly note: (sentence: string) => void;
}

export interface Reloads {
  /** Reloads; never rejects. Requests during a reload share the next one. */
  readonly reload: (request?: ReloadRequest) => Promise<ReloadReport>;
  /** Starts no more reloads, and keeps the running one from swapping anything. Waits a limited time for it. */
  readonly close: () => Promise<void>;
}

const LAST_WAIT_MS = 1000;

/** Makes the reloads of a host: one at a time, each applied in one step or not at all. */
export function createReloads(host: Reloadable): Reloads {
  let closed = false;
  let running: Promise<ReloadReport> | undefined;
  let next: Promise<ReloadReport> | undefined;
  let everyFile = false;
  let mayLoosen = false;
  const report = createReporter(host);

  function reload(request: ReloadRequest = {}): Promise<ReloadReport> {
    everyFile ||= request.everyFile === true;
    mayLoosen ||= request.mayLoosen === true;
    if (running === undefined) return (running = begin());
    // The running one may have read the files already.
    return (next ??= running.then(() => {
      next = undefined;
      return (running = begin());
    }));
  }

  async function begin(): Promise<ReloadReport> {
    const request = { everyFile, mayLoosen };
    everyFile = mayLoosen = false;
    try {
      return closed ? ENDING : await report((notes) => apply(host, request, { notes, isClosed: () => closed }));
    } finally {
      running = undefined;
    }
  }

  return {
    reload,
    async close() {
      closed = true;
      await withDeadline(LAST_WAIT_MS, () => running);
    },
  };
}

/** Collects the notes of a reload, logs them, and shows a failure once until a reload succeeds. */
function createReporter(host: Reloadable): (run: (notes: ReloadNotes) => Promise<void>) => Promise<ReloadReport> {
  const shown = new Set<string>();
  return async (run) => {
    const [changes, warnings, failures]: [string[], string[], string[]] = [[], [], []];
    const notes: ReloadNotes = {
      changed: (clause) => void changes.push(clause),
      warn: (sentence) => void warnings.push(sentence),
      fail: (sentence) => void failures.push(sentence),
    };
    try {
      await run(notes);
    } catch (error) {
      notes.fail(sentenceOf(error));
    }
    if (changes.length > 0) {
      host.onChange();
      host.log.info(`reloaded: ${changes.join("; ")}`);
    }
    for (const warning of warnings) host.warn(warning);
    if (failures.length === 0) shown.clear();
    for (const failure of failures.filter((sentence) => !shown.has(sentence))) {
      shown.add(failure);
      host.log.error(failure);
      host.note(failure);
    }
    return { ok: failures.length === 0, changes, problems: [...failures, ...warnings] };
  };
}

interface Application {
  readonly notes: ReloadNotes;
  /** True when nothing may be swapped any more. */
  readonly isClosed: () => boolean;
}

/** Prepares everything that the files describe, then swaps it in one step, unless it loosens a guard. */
async function apply(host: Reloadable, request: ReloadRequest, { notes, isClosed }: Application): Promise<void> {
  const config = await readAgain(host, notes);
  const parts = await Promise.all([...host.stages].map((stage) => stage(config, request)));
  const guards = await compareGuards(host, config, parts);
  // What the files alone tell is judged first: no code of plugins is loaded for a change that has to wait.
  if (isHeld(guards.loosenings(), request, notes)) return;
  const plugins = await host.plugins.stage(config, request);
  if (isClosed() || isHeld(guards.loosenings(plugins?.gates), request, notes)) return plugins?.discard();
  const shell = await host.shellHooks.prepare(config);
  if (isClosed()) return plugins?.discard();
  // From here to the end of the swaps nothing else runs: an event meets all of the old or all of the new.
  const sections = changedSections(host.config(), config);
  host.swap(config);
  shell.swap();
  plugins?.swap();
  const swapped = parts.map((part) => part.swap());
  for (const warning of [...config.warnings, ...shell.warnings]) notes.warn(warning);
  if (sections.length > 0) notes.changed(`configuration: ${sections.join(", ")}`);
  if (shell.added + shell.removed > 0) {
    notes.changed(`shell hooks: ${shell.added} added, ${shell.removed} removed`);
  }
  if (plugins !== undefined) describePlugins(plugins, notes);
  for (const tell of swapped) tell(notes);
  for (const listener of host.listeners) {
    try {
      await listener(config, notes, request);
    } catch (error) {
      notes.fail(sentenceOf(error));
    }
  }
}

type StagedPlugins = NonNullable<Awaited<ReturnType<Reloadable["plugins"]["stage"]>>>;

function describePlugins(plugins: StagedPlugins, notes: ReloadNotes): void {
  if (plugins.fresh.length > 0) notes.changed(`plugins reloaded: ${plugins.fresh.join(", ")}`);
  if (plugins.gone.length > 0) notes.changed(`plugins removed: ${plugins.gone.join(", ")}`);
  for (const problem of plugins.problems) notes[plugins.failed ? "fail" : "warn"](problem);
}

const ENDING: ReloadReport = { ok: false, changes: [], problems: ["The process is shutting down."] };

/** True when the change has to wait for a person, which is then said. */
function isHeld(loosenings: readonly string[], { mayLoosen }: ReloadRequest, notes: ReloadNotes): boolean {
  if (mayLoosen || loosenings.length === 0) return false;
  const what = loosenings.join("; ");
  notes.fail(
    `The changed files are not applied, because they loosen a guard: ${what}. Run "hermes hooks reload" or restart to apply them.`,
  );
  return true;
}

/** Compares what guards the agent now with what would under the files. */
async function compareGuards(host: Reloadable, config: Config, parts: readonly StagedPart[]) {
  const before: GuardState = {
    ...guardSettingsOf(host.config()),
    shell: host.shellHooks.guards(),
    plugins: host.plugins.gates(),
    gatewayHooks: parts.flatMap((part) => part.before),
  };
  const after: GuardState = {
    ...guardSettingsOf(config),
    shell: await host.shellHooks.guardsOf(config),
    plugins: await host.plugins.gatesUnder(config),
    gatewayHooks: parts.flatMap((part) => part.after),
  };
  return { loosenings: (plugins = after.plugins) => findLoosenings(before, { ...after, plugins }) };
}

/** The configuration on disk, or the current one if that cannot be used. */
async function readAgain(host: Reloadable, notes: ReloadNotes): Promise<Config> {
  const before = host.config();
  try {
    const config = await loadConfig(host.paths, host.env);
    refuseVanished(config, before);
    host.check(config);
    return config;
  } catch (error) {
    notes.fail(`${sentenceOf(error).replace(/\.$/, "")}. The last valid configuration stays active.`);
    return before;
  }
}

/** Many programs empty or remove a file before they write it: a guard must not be gone for that moment. */
function refuseVanished(after: Config, before: Config): void {
  const { file } = after;
  if (before.file === null || before.lineOf([]) === undefined) return;
  if (file === null) {
    throw new HermesError("HERMES_CONFIG_UNREADABLE", { file: before.file, problem: "it was removed" });
  }
  if (after.lineOf([]) !== undefined || statSync(file).size > 0) return;
  throw new HermesError("HERMES_CONFIG_UNREADABLE", { file, problem: "it is empty" });
}

function changedSections({ values: before }: Config, { values: after }: Config): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const section = (values: object, name: string): unknown => (values as Record<string, unknown>)[name];
  return [...names].filter((name) => !isDeepStrictEqual(section(before, name), section(after, name)));
}

function sentenceOf(error: unknown): string {
  return isHermesError(error) ? error.message : problemOf(error);
}
