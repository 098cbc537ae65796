/** `hooks_consent: pinned`: an approved script runs as the private copy of the bytes that were approved (CONTRACT §5). */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { problemOf } from "#core/errors";
import { provideCopy } from "./copies.ts";
import { readScript, sha256Of, type Fingerprint } from "./fingerprint.ts";
import type { ResolvedCommand } from "./grant.ts";
import { resolvePrograms, type Resolved } from "./resolve.ts";
import { pairKey, type Approval } from "./store.ts";
import { visible } from "./visible.ts";
import { readWords, type CommandWords, type LookupContext, type ScriptWord } from "./words.ts";

/** Whether an approval holds for the script as it is now. */
export type PinCheck =
  | { readonly state: "unchanged" }
  /** `changed`: approving it again helps. `unusable`: it cannot run as it is. Problems are clauses. */
  | { readonly state: "changed" | "missing" | "unusable"; readonly problem: string };

type Refusal = Exclude<PinCheck, { state: "unchanged" }>;

export interface Pins {
  /** Looks at the script, and changes nothing. */
  examine(approval: Approval, argv: readonly string[]): PinCheck;
  /** What to run now instead of `argv`, or why nothing; makes the copy where it is missing. */
  prepare(approval: Approval, argv: readonly string[]): ResolvedCommand | Refusal;
}

/** What is kept of an approval for as long as it stays the same: which word is the script, which files the programs. */
interface Plan {
  readonly key: string;
  readonly words: CommandWords;
  resolved?: Resolved;
}

/** Pins scripts to copies in `folder`. What PATH means is settled at the first look at each approval. */
export function createPins(folder: string, place: LookupContext): Pins {
  const frozen: LookupContext = { cwd: place.cwd, env: { PATH: place.env["PATH"] } };
  const plans = new Map<string, Plan>();

  function planOf(approval: Approval, argv: readonly string[]): Plan {
    const { script_sha256, script_path, pinned } = approval;
    const key = JSON.stringify([argv, script_sha256, script_path, pinned]);
    const known = plans.get(pairKey(approval));
    if (known?.key === key) return known;
    const plan = { key, words: approvedWords(approval, argv, frozen) };
    // A script that is not there (yet) may be found another time.
    if (pathOf(plan.words.script) !== null) plans.set(pairKey(approval), plan);
    return plan;
  }

  function look(approval: Approval, argv: readonly string[]): { plan: Plan; found: Found | null } | Refusal {
    const plan = planOf(approval, argv);
    const { script } = plan.words;
    if (script === "none") {
      return unusable(
        "it has no script among its words, so there is nothing to pin; name one, or use inline code (-c)",
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
    examine(approval, argv) {
      const looked = look(approval, argv);
      return "state" in looked ? looked : { state: "unchanged" };
    },
    prepare(approval, argv) {
      const looked = look(approval, argv);
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

/** The record that an approval in pinned mode keeps beside the hash. */
export function pinnedRecord(argv: readonly string[], { words, content }: Fingerprint, place: LookupContext): object {
  const resolved = resolvePrograms({ argv, words, content, place });
  return {
    script_word: typeof words.script === "string" ? null : words.script.index,
    ...(typeof resolved === "string" ? {} : { programs: resolved.programs }),
  };
}

interface Found {
  readonly path: string;
  readonly content: Buffer;
  readonly sha256: string;
}

/** Compares the script with its approval. The bytes that it gives are the approved ones. */
function check({ path, executed }: ScriptWord, argv: readonly string[], approval: Approval): Found | Refusal {
  if (path === null) return { state: "missing", problem: `its program is not found: ${visible(argv[0] ?? "")}` };
  const shown = visible(path);
  const { content, problem } = readScript(path);
  if (content === null) {
    return { state: problem === "is not there" ? "missing" : "unusable", problem: `its script ${shown} ${problem}` };
  }
  if (typeof approval.script_sha256 !== "string") {
    return { state: "changed", problem: `its approval has no hash, so that its script ${shown} counts as changed` };
  }
  const sha256 = sha256Of(content);
  if (sha256 !== approval.script_sha256.toLowerCase()) {
    return { state: "changed", problem: `its script ${shown} has changed since it was approved` };
  }
  if (executed && !isExecutable(path)) return unusable(`not executable: ${shown} (chmod +x makes it so)`);
  return { path, content, sha256 };
}

/**
 * The words as they were understood at the approval. What a word means must not depend on which files are there
 * now: the bytes of the script, put in place of one of its arguments, would pass for it.
 */
function approvedWords(approval: Approval, argv: readonly string[], place: LookupContext): CommandWords {
  const words = readWords(argv, place);
  const index = readRecord(approval)?.script_word;
  const now = typeof words.script === "string" ? null : words.script.index;
  if (index === undefined) {
    // An approval made in the other mode: its path tells which word it was.
    const { script_path } = approval;
    if (typeof script_path !== "string" || script_path === pathOf(words.script)) return words;
    return { ...words, script: "none" };
  }
  if (index === now) return words;
  if (index === null) return { ...words, script: "none" };
  // Only behind an interpreter does the place of the script depend on files.
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
