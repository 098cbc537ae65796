/** What the consent question says about a hook (CONTRACT §5). */
import { realpathSync } from "node:fs";
import { approvedWithout } from "./decide.ts";
import type { ScriptFingerprint } from "./fingerprint.ts";
import type { HookRequest } from "./grant.ts";
import { layOutRows, wrap } from "./layout.ts";
import { visible, visibleCommand, visibleLine } from "./visible.ts";

export interface Question {
  readonly request: HookRequest;
  /** The configured entries that the answer is for. */
  readonly uses: readonly HookUse[];
  readonly script: ScriptFingerprint;
  /** `changed`: a pinned file is not the approved one. `wider`: its approval lacks the shell or variables. */
  readonly reason: "new" | "changed" | "wider";
  /** What changed since the approval, as a clause, else null. */
  readonly change: string | null;
  /** What an existing approval lacks, in words. */
  readonly missing: readonly string[];
  /** If scripts are pinned: what of the command is not, as a sentence, else null. */
  readonly unpinned: string | null;
  /** True if scripts are pinned. */
  readonly pinned: boolean;
}

export interface HookUse {
  readonly matcher: string | null;
  readonly timeoutSeconds: number;
  readonly failClosed: boolean;
}

/** The question in lines; `position` is `2 of 6: `, or empty for the only one. */
export function describeQuestion(question: Question, position: string, columns: number): readonly string[] {
  const { request, uses, script, reason, change, missing, pinned, unpinned } = question;
  const why = {
    new: "This shell hook is not approved yet.",
    changed: "A file of this shell hook changed since you approved it.",
    wider: `This shell hook was ${approvedWithout(missing)}.`,
  }[reason];
  const matchers = uses.map(({ matcher }) => (matcher === null ? "none" : visibleCommand(matcher)));
  const rows: (readonly [string, string])[] = [
    ...(change === null ? [] : [["changed", change] as const]),
    ["event", visible(request.event)],
    ["matcher", unique(matchers)],
    ["command", visibleCommand(request.command)],
    ["shell", request.shell ? "yes: it runs through sh -c, so ; | $( ) and the like work" : "no"],
    ["environment", request.env.length === 0 ? "no secrets" : `also gets ${request.env.join(", ")}`],
    ["timeout", unique(uses.map(({ timeoutSeconds }) => `${timeoutSeconds} s`))],
    ["fail_closed", uses.some(({ failClosed }) => failClosed) ? "yes: if it fails, the call is blocked" : "no"],
    ["script", describeScript(script)],
    ...(script.sha256 === null ? [] : [["sha256", script.sha256] as const]),
    ...(pinned ? script.files.map(({ path }) => ["also pinned", visibleCommand(path)] as const) : []),
    ...(unpinned === null ? [] : [["not pinned", unpinned] as const]),
  ];
  return [
    "",
    ...wrap(`${position}${why} It would run with all your rights:`, columns),
    "",
    ...layOutRows(rows, columns),
    "",
  ];
}

function unique(values: readonly string[]): string {
  return [...new Set(values)].join("; ");
}

function describeScript({ words, path, bytes }: ScriptFingerprint): string {
  if (path === null) return words.script === "inline" ? "none: the command itself is the code" : "none";
  const real = realPathOf(path);
  const target = real === path ? "" : ` -> ${visibleCommand(real)}`;
  return `${visibleCommand(path)}${target} (${bytes} bytes)`;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // The file was deleted meanwhile; the path is all we can show.
    return path;
  }
}

/** The script in lines, with a margin so that no line of it looks like one of ours. These bytes would be approved. */
export function showScript({ path, content }: ScriptFingerprint, columns: number): readonly string[] {
  if (path === null) return ["There is no script, only the command."];
  const shown = visibleCommand(path);
  if (content === null) return wrap(`${shown} cannot be shown: it cannot be read, or is larger than 64 MiB.`, columns);
  if (content.includes(0)) return wrap(`${shown} is not a text file (${content.length} bytes).`, columns);
  const lines = content.toString("utf8").replace(/\n$/, "").split("\n");
  return lines.flatMap((line) => wrap(visibleLine(line), columns, "  | "));
}
