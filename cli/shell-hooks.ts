/** The configured shell hooks of a host. All are registered; those without consent do not run. */
import type { Config } from "#core/home/config";
import type { HookDispatcher } from "#core/dispatch";
import type { HomePaths } from "#core/home/paths";
import type { HookScripts } from "#agent/guard/files";
import type { ShellGuard } from "#core/ports/guards";
import type { McpToolName } from "#core/mcp-names";
import type { Hook } from "#core/ports/hook";
import type { Wall, WallProfile } from "#core/ports/wall";
import type { OpenApprovals } from "#allowlist/approvals";
import type { LookupContext } from "#allowlist/words";
import type { ShellEntry } from "#sandbox/shell/entries";
import type { Deliveries } from "#sandbox/shell/deliveries";
import type { ShellHook, ShellHookDependencies } from "#sandbox/shell/hook";
import type { SessionFiles, ShellContext } from "#sandbox/shell/protocol";
import type { CliContext, GlobalOptions } from "./context.ts";
import { optInOf } from "./opt-in.ts";

interface ShellHookOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
  readonly dispatcher: HookDispatcher;
  /** Called when an approval cannot be written. */
  readonly onUnrecorded: (sentence: string) => void;
  /** The wall of an entry's profile, or of the configuration's for null. */
  readonly wallFor: (profile: WallProfile | null) => Wall;
  readonly sessionFiles?: SessionFiles | undefined;
  /** The server's own name of an MCP tool. */
  readonly mcpTool?: ((name: string) => McpToolName | undefined) | undefined;
}

function shellContextOf({ wallFor, sessionFiles, mcpTool }: ShellHookOptions, place: Omit<ShellContext, "mcpTool">) {
  return { ...place, wallFor, sessionFiles, mcpTool };
}

/** Prepared hooks that are not registered yet. */
export interface PreparedShellHooks {
  /** About entries that are skipped, and hooks that may not run. */
  readonly warnings: readonly string[];
  /** The number of added and removed hooks. */
  readonly added: number;
  readonly removed: number;
  /** Replaces the registered hooks in one step. */
  swap(): void;
}

/** Its end waits for the hooks in the background, then ends the coprocesses. */
export interface ShellHooks extends AsyncDisposable {
  /**
   * Parses the `hooks:` block and checks consent; prompts only with `mayAsk`. Rejects with HERMES_INTERRUPTED when the
   * user presses Ctrl+C; all other problems are warnings.
   */
  prepare(config: Config, options?: { readonly mayAsk?: boolean }): Promise<PreparedShellHooks>;
  /** The gates of the hooks that are registered. */
  readonly guards: () => readonly ShellGuard[];
  /** The gates that a configuration has; asks for no consent and changes nothing. */
  guardsOf(config: Config): Promise<readonly ShellGuard[]>;
  /** The files of the configured hooks, which are off limits to the agent. */
  readonly scripts: () => HookScripts;
}

/** The registered hooks, by their entry as text; an entry may have two. */
interface Registered {
  readonly hooks: ReadonlyMap<string, readonly [ShellHook, ...Hook[]]>;
  /** What observers have to say to the model, kept when the configuration changes. */
  readonly deliveries?: Deliveries | undefined;
  readonly approvals: OpenApprovals | undefined;
  readonly scripts: HookScripts;
  readonly guards: readonly ShellGuard[];
}

const NO_SCRIPTS: HookScripts = { all: [], gates: [] };
const NONE: Registered = { hooks: new Map(), approvals: undefined, scripts: NO_SCRIPTS, guards: [] };

export function createShellHooks(options: ShellHookOptions): ShellHooks {
  const { context, paths, dispatcher } = options;
  const place = { cwd: process.cwd(), env: context.env, home: paths.home };
  const shellContext = shellContextOf(options, place);
  let current = NONE;
  const undos: (() => void)[] = [];

  async function prepare(config: Config, { mayAsk = false } = {}): Promise<PreparedShellHooks> {
    if (config.values.hooks === undefined) return ready(NONE, []);
    const { parseHookEntries } = await import("#sandbox/shell/entries");
    const { entries, warnings } = parseHookEntries(config.values.hooks);
    if (entries.length === 0) return ready(NONE, warnings);
    const { scriptsOf, warnOfAccess } = await import("./hook-scripts.ts");
    const scripts = scriptsOf(entries, place);
    // In safe mode nothing runs, but what will run again later stays off limits.
    if (options.globals.safeMode) return ready({ ...NONE, scripts }, []);
    const { settleConsent } = await import("#allowlist/consent");
    const { openPrompter } = await import("#allowlist/prompt");
    // Kept when the configuration changes: approvals for this run are stored only here.
    const approvals = await keepOrOpen(current.approvals, paths.allowlist, config, place);
    const settlement = await settleConsent(entries, {
      file: paths.allowlist,
      approvals,
      optIn: optInOf(options.globals, config, context.env),
      prompter: mayAsk ? () => openPrompter({ input: process.stdin, output: process.stderr }) : null,
      place,
      onUnrecorded: options.onUnrecorded,
    });
    const all = [...warnings, ...settlement.warnings, ...warnOfAccess(entries, place)];
    return ready({ ...(await make(entries, approvals)), scripts }, all);
  }

  async function make(entries: readonly ShellEntry[], approvals: OpenApprovals): Promise<Omit<Registered, "scripts">> {
    const made = await makeHooks(entries, current, {
      decide: (request) => (current.approvals ?? approvals).decide(request),
      shellContext,
      warn: context.warn,
    });
    return { ...made, approvals, guards: await shellGuardsIn(entries, place) };
  }

  function ready(next: Registered, warnings: readonly string[]): PreparedShellHooks {
    const [old, fresh] = [new Set(current.hooks.values()), new Set(next.hooks.values())];
    return {
      warnings,
      added: fresh.difference(old).size,
      removed: old.difference(fresh).size,
      swap() {
        // What a coprocess has read from elsewhere may have changed, too.
        for (const [hook] of old) hook.restart();
        current = next;
        if (haveSameOrder(old, fresh)) return;
        for (const undo of undos.splice(0)) undo();
        for (const hook of [...next.hooks.values()].flat()) undos.push(dispatcher.register(hook));
      },
    };
  }

  const guardsOf = (config: Config) => shellGuardsOf(config, options.globals, place);
  return {
    prepare,
    guards: () => current.guards,
    guardsOf,
    scripts: () => current.scripts,
    async [Symbol.asyncDispose]() {
      await dispatcher.drain();
      await Promise.all([...current.hooks.values()].map(([hook]) => hook.close()));
    },
  };
}

/** Hooks for the entries. An unchanged entry keeps its hook. */
async function makeHooks(
  entries: readonly ShellEntry[],
  before: Pick<Registered, "hooks" | "deliveries">,
  { shellContext, ...others }: ShellHookDependencies,
): Promise<Pick<Registered, "hooks" | "deliveries">> {
  const { createEntryHooks, Deliveries } = await import("#sandbox/shell/deliveries");
  const { findScriptAccessProblem } = await import("#allowlist/script-access");
  const { scriptOf } = await import("#allowlist/words");
  const dependencies: ShellHookDependencies = {
    ...others,
    shellContext,
    findAccessProblem: (argv) => findScriptAccessProblem(argv, shellContext),
    findScript: (argv) => scriptOf(argv, shellContext),
  };
  const hooks = new Map<string, readonly [ShellHook, ...Hook[]]>();
  const deliveries = before.deliveries ?? new Deliveries();
  for (const entry of entries) {
    const key = JSON.stringify(entry);
    hooks.set(key, before.hooks.get(key) ?? createEntryHooks(entry, dependencies, deliveries));
  }
  return { hooks, deliveries };
}

async function shellGuardsOf(
  { values }: Config,
  { safeMode }: GlobalOptions,
  place: LookupContext,
): Promise<readonly ShellGuard[]> {
  if (values.hooks === undefined || safeMode) return [];
  const { parseHookEntries } = await import("#sandbox/shell/entries");
  return shellGuardsIn(parseHookEntries(values.hooks).entries, place);
}

async function shellGuardsIn(entries: readonly ShellEntry[], place: LookupContext): Promise<readonly ShellGuard[]> {
  const { describeGates } = await import("./guards/state.ts");
  return describeGates(entries, place);
}

async function keepOrOpen(
  approvals: OpenApprovals | undefined,
  file: string,
  { values: { hooks_consent: mode = "command" } }: Config,
  place: LookupContext,
): Promise<OpenApprovals> {
  if (approvals?.mode === mode) return approvals;
  const { openApprovals } = await import("#allowlist/approvals");
  return openApprovals(file, mode, place);
}

function haveSameOrder(before: ReadonlySet<readonly Hook[]>, after: ReadonlySet<readonly Hook[]>): boolean {
  const order = [...after];
  return before.size === after.size && [...before].every((hook, index) => hook === order[index]);
}
