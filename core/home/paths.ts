import { mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { STATE_FILES, stateFile } from "./state-file.ts";

/** The paths in the home (CONTRACT §1). */
export interface HomePaths {
  readonly home: string;
  readonly config: string;
  readonly fallbackConfig: string;
  readonly allowlist: string;
  /** Which repositories' instructions are followed. */
  readonly instructions: string;
  /** The commands that the user allowed for good. */
  readonly commandRules: string;
  readonly hooks: string;
  readonly plugins: string;
  readonly agentHooks: string;
  /** Instructions that the agent can ask for, a folder each. */
  readonly skills: string;
  /** Private copies of the scripts that `hooks_consent: pinned` runs. */
  readonly approvedHooks: string;
  /** `state.db`, or a file beside it in a home of Hermes Agent. */
  readonly state: string;
  /** Where a damaged `state.db` is moved to. */
  readonly damaged: string;
  /** The discovery file of a running dashboard (CONTRACT §9). */
  readonly discovery: string;
  /** The gateway's start-up checklist. */
  readonly boot: string;
  readonly logs: string;
  readonly log: string;
  readonly hookLog: string;
  /** One line for each request to an inbound webhook. */
  readonly inboundLog: string;
  readonly run: string;
  /** A folder for each session that hooks of other programs have files of. */
  readonly sessionFiles: string;
  /** What tasks have printed. */
  readonly tasks: string;
  readonly history: string;
}

/** The user's home directory that `~` stands for: `$HOME`, else the system's value. */
export function userHome(env: NodeJS.ProcessEnv = process.env): string {
  return env["HOME"] || homedir();
}

/** `~` alone or before `/` is `home`, the user's home directory. */
export function expandHome(word: string, home: string): string {
  return word === "~" || word.startsWith("~/") ? home + word.slice(1) : word;
}

/** The home's paths: `flag` (`--home DIR`), else `$HERMES_HOME`, else `~/.hermes`. Nothing is created. */
export function homePaths(flag?: string, env: NodeJS.ProcessEnv = process.env): HomePaths {
  const home = resolve(flag || env["HERMES_HOME"] || join(userHome(env), ".hermes"));
  const logs = join(home, "logs");
  return {
    home,
    config: join(home, "config.yaml"),
    fallbackConfig: join(home, "cli-config.yaml"),
    allowlist: join(home, "shell-hooks-allowlist.json"),
    instructions: join(home, "instructions.json"),
    commandRules: join(home, "approvals.json"),
    hooks: join(home, "hooks"),
    plugins: join(home, "plugins"),
    agentHooks: join(home, "agent-hooks"),
    skills: join(home, "skills"),
    approvedHooks: join(home, "approved-hooks"),
    state: stateFile(home),
    damaged: join(home, "damaged"),
    discovery: join(home, "dashboard.json"),
    boot: join(home, "BOOT.md"),
    logs,
    log: join(logs, "hermes.log"),
    hookLog: join(logs, "hooks.jsonl"),
    inboundLog: join(logs, "inbound.jsonl"),
    run: join(home, "run"),
    sessionFiles: join(home, "session-files"),
    tasks: join(home, "tasks"),
    history: join(home, "chat-history"),
  };
}

/** What a home keeps of conversations, tokens and logs: no command and no tool of the agent may read it. */
export const HIDDEN_IN_HOME =
  /^(?:(?:state|hermes-hooks)\.db(?:-.*)?|dashboard\.json|logs|.*\.log(?:\..*)?|session-files|tasks|damaged)$/;

/**
 * Paths that the agent's tools must not even read, existing or not: what decides what the agent may do, and what
 * {@link HIDDEN_IN_HOME} names. None of the home is writable to them (DESIGN, decisions 12 and 13).
 */
export function unreadablePaths(paths: HomePaths): readonly string[] {
  const { config, fallbackConfig, allowlist, instructions, commandRules } = paths;
  const { hooks, plugins, agentHooks, approvedHooks } = paths;
  const { home, discovery, logs, sessionFiles, tasks, damaged } = paths;
  const rules = [config, fallbackConfig, allowlist, instructions, commandRules];
  const database = STATE_FILES.flatMap((name) => ["", "-wal", "-shm", "-journal"].map((end) => join(home, name + end)));
  const conversations = [...database, discovery, logs, ...streamedLogs(home), sessionFiles, tasks, damaged];
  return [...rules, hooks, plugins, agentHooks, approvedHooks, ...conversations];
}

/** Where the documentation of log streaming puts a copy of the log, with as many rotated files as are kept by default. */
function streamedLogs(home: string): readonly string[] {
  return ["", ".1", ".2", ".3", ".4", ".5"].map((suffix) => join(home, `hermes.log${suffix}`));
}

/**
 * Creates a folder and its parents, by default private to the user. Throws what `mkdir` throws.
 * Not with `recursive`: under /proc, where folders cannot be created, Node's own loop never ends.
 */
export function ensureFolder(folder: string, mode = 0o700): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    ensureFolder(dirname(folder), mode);
    mkdirSync(folder, { mode });
  }
}
