/** Reads and writes the command rules of a home, `approvals.json`. */
import { isDeepStrictEqual } from "node:util";
import { dirname } from "node:path";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { isMapping } from "#core/mapping";
import type { CommandRule } from "#core/ports/command-rules";
import { readRegularFile } from "#core/regular-file";

/** A rule of the file. */
export interface StoredRule extends CommandRule {
  /** ISO-8601, UTC; null in a hand-written rule without it. */
  readonly added_at: string | null;
}

export interface StoredRules {
  readonly rules: readonly StoredRule[];
  /** Why the file must not be overwritten, as a clause (`is a symbolic link`); null when it may be. */
  readonly unusable: string | null;
  /** Full sentences. */
  readonly warnings: readonly string[];
}

const MOST_BYTES = 1024 * 1024;
const NONE: StoredRules = { rules: [], unusable: null, warnings: [] };

/** Reads the file, whatever its state. A file that others could have written, or that is no list, allows nothing. */
export function readRules(file: string): StoredRules {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
  if (reading.kind === "absent") return NONE;
  if (reading.kind === "refused") return unusable(file, reading.problem);
  let document: unknown;
  try {
    document = JSON.parse(reading.content.toString("utf8").replace(/^\uFEFF/, ""));
  } catch (error) {
    return unusable(file, `is not valid JSON (${problemOf(error)})`);
  }
  if (!isMapping(document) || !Array.isArray(document["rules"])) {
    return unusable(file, 'does not have the form {"rules": […]}');
  }
  const warnings: string[] = [];
  const rules = document["rules"].flatMap((entry: unknown, index): StoredRule[] => {
    const rule = ruleOf(entry);
    if (rule === undefined) warnings.push(`${file}: rules[${index}] has no "words"; skipped.`);
    return rule === undefined ? [] : [rule];
  });
  if ((reading.stats.mode & 0o022) === 0) return { rules, unusable: null, warnings };
  const problem = `${file} is writable by other users, so its rules are ignored. Review it, then run: chmod 600 ${file}`;
  return { rules: [], unusable: null, warnings: [...warnings, problem] };
}

/** Adds rules that are not there yet. Throws HERMES_ALLOWLIST_*. */
export async function addRules(file: string, added: readonly CommandRule[]): Promise<void> {
  await update(file, (rules) => {
    const fresh = added.filter((rule) => !rules.some((other) => isSameRule(rule, other)));
    const added_at = new Date().toISOString();
    return fresh.length === 0 ? undefined : [...rules, ...fresh.map((rule) => ({ ...rule, added_at }))];
  });
}

/** Removes the rules that the test selects, and returns them. Throws HERMES_ALLOWLIST_*. */
export async function removeRules(
  file: string,
  isMeant: (rule: CommandRule) => boolean,
): Promise<readonly StoredRule[]> {
  let removed: readonly StoredRule[] = [];
  await update(file, (rules) => {
    removed = rules.filter(isMeant);
    return removed.length === 0 ? undefined : rules.filter((rule) => !isMeant(rule));
  });
  return removed;
}

function isSameRule(one: CommandRule, other: CommandRule): boolean {
  return one.exact === other.exact && isDeepStrictEqual(one.words, other.words);
}

async function update(
  file: string,
  change: (rules: readonly StoredRule[]) => readonly StoredRule[] | undefined,
): Promise<void> {
  try {
    ensureFolder(dirname(file));
    const { withLock } = await import("#allowlist/lock");
    await withLock(file, (isOurs) => {
      const { rules, unusable: problem } = readRules(file);
      if (problem !== null) throw new HermesError("HERMES_ALLOWLIST_UNUSABLE", { file, problem });
      const changed = change(rules);
      if (changed === undefined) return;
      const text = `${JSON.stringify({ rules: changed }, null, 2)}\n`;
      writePrivateFile(file, text, { durable: true, beforeReplacing: isOurs });
    });
  } catch (error) {
    if (error instanceof HermesError) throw error;
    throw new HermesError("HERMES_ALLOWLIST_UNWRITABLE", { file, problem: problemOf(error) }, { cause: error });
  }
}

function ruleOf(entry: unknown): StoredRule | undefined {
  if (!isMapping(entry)) return undefined;
  const { words, exact = false, added_at } = entry;
  const isValid =
    Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string") && words[0] !== "";
  if (!isValid || typeof exact !== "boolean") return undefined;
  return { words, exact, added_at: typeof added_at === "string" ? added_at : null };
}

function unusable(file: string, problem: string): StoredRules {
  const { message } = new HermesError("HERMES_ALLOWLIST_UNUSABLE", { file, problem });
  return { rules: [], unusable: problem, warnings: [message] };
}
