/** `hooks_consent: pinned`: an approved script runs as the private copy of the bytes that were approved (CONTRACT §5). */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { problemOf } from "#core/errors";
import { provideCopy } from "./copies.ts";
import { findFiles, hashFiles, readFiles, type NamedFile } from "./files.ts";
import { readScript, type ScriptFingerprint } from "./fingerprint.ts";
import { sha256Of } from "./hash.ts";
import type { ResolvedCommand } from "./grant.ts";
import { resolvePrograms, type Resolved } from "./resolve.ts";
import { pairKey, type Approval } from "./store.ts";
import { visible } from "./visible.ts";
import { readWords, type CommandWords, type LookupContext, type ScriptWord } from "./words.ts";

/** Whether an approval is valid for the current script. */
export type PinCheck =
  | { readonly state: "unchanged" }
  /** `changed`: needs to be approved again. `unusable`: cannot run as it is. Problems are clauses. */
  | { readonly state: "changed" | "missing" | "unusable"; readonly problem: string };

type Refusal = Exclude<PinCheck, { state: "unchanged" }>;

export interface PinnedCommand {
  readonly approval: Approval;
  readonly argv: readonly string[];
  /** `pin_ignore` of the entry; only what the approval ignores, too, is exempt. */
  readonly ignored: readonly string[];
}

export interface Pins {
  /** Checks the script and the other files without changing anything. */
  examine(command: PinnedCommand): PinCheck;
  /** What to run instead of the words, or why nothing can run; creates the copy if it is missing. */
  prepare(command: PinnedCommand): ResolvedCommand | Refusal;
}

/** Cached for an approval until it changes: which word is the script, and which files are the programs. */
interface Plan {
  readonly key: string;
  readonly words: CommandWords;
  resolved?: Resolved;
}

/** Pins scripts to copies in `folder`. An approval's programs are looked up in PATH once, at its first use. */
export function createPins(folder: string, place: LookupContext): Pins {
  const frozen: LookupContext = { cwd: place.cwd, env: { PATH: place.env["PATH"] } };
  const plans = new Map<string, Plan>();

  function planOf(approval: Approval, argv: readonly string[], context: LookupContext): Plan {
    const { script_sha256, script_path, pinned } = approval;
    const key = JSON.stringify([argv, context.ignored, script_sha256, script_path, pinned]);
    const known = plans.get(pairKey(approval));
    if (known?.key === key) return known;
    const plan = { key, words: approvedWords(approval, argv, context) };
    // A script that does not exist yet may be found later.
    if (pathOf(plan.words.script) !== null) plans.set(pairKey(approval), plan);
    return plan;
  }

  function look({ approval, argv, ignored }: PinnedCommand): { plan: Plan; found: Found | null } | Refusal {
    const context = { ...frozen, ignored: ignoredByBoth(approval, ignored, frozen) };
    const plan = planOf(approval, argv, context);
    const { script } = plan.words;
    const refusal = checkFiles(approval, findFiles(argv, plan.words, context));
    if (refusal !== null) return refusal;
    if (script === "none") {
      return unusable(
        "none of its words is a script, so there is nothing to pin; name a script, or use inline code (-c)",
      );
    }
    const found = script === "inline" ? null : check(script, argv, approval);
    if (found !== null && "state" in found) return found;
    if (plan.resolved === undefined) {
      const recorded = readRecord(approval)?.programs;
      const { words } = plan;
      const resolved = resolvePrograms({ argv, words, content: found?.content ?? null, recorded, place: frozen });
      if (typeof resolved === "string") return unusable(resolved);
      plan.resolved = resolved;
    }
    return { plan, found };
  }

  return {
    examine(command) {
      const looked = look(command);
      return "state" in looked ? looked : { state: "unchanged" };
    },
    prepare(command) {
      const looked = look(command);
      if ("state" in looked) return looked;
      const { argv: words, argv0, copyAt } = looked.plan.resolved!;
      if (looked.found === null || copyAt === null) return { argv: words, argv0, script: null };
      try {
        const [first, ...rest] = words.with(copyAt, provideCopy(folder, looked.found));
        return { argv: [first!, ...rest], argv0: argv0 ?? looked.found.path, script: looked.found.path };
      } catch (error) {
        return unusable(problemOf(error));
      }
    },
  };
}

/** What an approval in pinned mode records in addition to the hash. */
export function pinnedRecord(
  argv: readonly string[],
  { words, content }: ScriptFingerprint,
  place: LookupContext,
): object {
  const resolved = resolvePrograms({ argv, words, content, place });
  return {
    script_word: typeof words.script === "string" ? null : words.script.index,
    ...(typeof resolved === "string" ? {} : { programs: resolved.programs }),
  };
}

/** Compares the files besides the script with those of the approval: each must be there, with the same content. */
function checkFiles(approval: Approval, files: readonly NamedFile[]): Refusal | null {
  const recorded = readFiles(approval.files) ?? [];
  const isSame = (one: NamedFile) => (other: NamedFile) => one.word === other.word && one.path === other.path;
  const gone = recorded.find((file) => !files.some(isSame(file)));
  if (gone !== undefined) return { state: "missing", problem: `its file ${visible(gone.path)} does not exist` };
  for (const file of hashFiles(files)) {
    const before = recorded.find(isSame(file));
    const shown = visible(file.path);
    if (before === undefined) {
      const problem = `its approval has no hash of its file ${shown}, so the file is treated as changed`;
      return { state: "changed", problem };
    }
    if (file.sha256 === null || file.sha256 !== before.sha256?.toLowerCase()) {
      return { state: "changed", problem: `its file ${shown} has changed since it was approved` };
    }
  }
  return null;
}

/** Only what the entry and its approval both ignore: a new `pin_ignore` needs a new approval. */
function ignoredByBoth({ pin_ignore: value }: Approval, ignored: readonly string[], { cwd }: LookupContext) {
  const approved = new Set(Array.isArray(value) ? value.map((path) => resolve(cwd, String(path))) : []);
  return ignored.map((path) => resolve(cwd, path)).filter((path) => approved.has(path));
}

interface Found {
  readonly path: string;
  readonly content: Buffer;
  readonly sha256: string;
}

/** Compares the script with its approval. The bytes it returns are the approved ones. */
function check({ path, executed }: ScriptWord, argv: readonly string[], approval: Approval): Found | Refusal {
  if (path === null) return { state: "missing", problem: `its program was not found: ${visible(argv[0] ?? "")}` };
  const shown = visible(path);
  const { content, problem } = readScript(path);
  if (content === null) {
    return { state: problem === "does not exist" ? "missing" : "unusable", problem: `its script ${shown} ${problem}` };
  }
  if (typeof approval.script_sha256 !== "string") {
    return { state: "changed", problem: `its approval has no hash, so its script ${shown} is treated as changed` };
  }
  const sha256 = sha256Of(content);
  if (sha256 !== approval.script_sha256.toLowerCase()) {
    return { state: "changed", problem: `its script ${shown} has changed since it was approved` };
  }
  if (executed && !isExecutable(path)) return unusable(`not executable: ${shown} (run: chmod +x ${shown})`);
  return { path, content, sha256 };
}

/**
 * The words as they were interpreted at the approval. Their meaning must not depend on which files exist now: otherwise
 * a copy of the script, put in place of one of its arguments, would be accepted as the script.
 */
function approvedWords(approval: Approval, argv: readonly string[], place: LookupContext): CommandWords {
  const words = readWords(argv, place);
  const index = readRecord(approval)?.script_word;
  const now = typeof words.script === "string" ? null : words.script.index;
  if (index === undefined) {
    // An approval from the other mode: its path tells which word the script was.
    const { script_path } = approval;
    if (typeof script_path !== "string" || script_path === pathOf(words.script)) return words;
    return { ...words, script: "none" };
  }
  if (index === now) return words;
  if (index === null) return { ...words, script: "none" };
  // The position of the script depends on existing files only after an interpreter.
  return { ...words, script: { index, path: resolve(place.cwd, argv[index] ?? ""), executed: false } };
}

function readRecord({ pinned }: Approval): { script_word?: number | null; programs?: readonly string[] } | undefined {
  if (typeof pinned !== "object" || pinned === null) return undefined;
  const { script_word: index, programs } = pinned as Record<string, unknown>;
  const paths = Array.isArray(programs) ? programs.filter((path) => typeof path === "string") : undefined;
  return {
    ...(index === null || Number.isInteger(index) ? { script_word: index as number | null } : {}),
    ...(paths === undefined || paths.length !== (programs as unknown[]).length ? {} : { programs: paths }),
  };
}

function pathOf(script: CommandWords["script"]): string | null {
  return typeof script === "string" ? null : script.path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Whatever the reason, the system would not run it.
    return false;
  }
}

function unusable(problem: string): Refusal {
  return { state: "unusable", problem };
}
