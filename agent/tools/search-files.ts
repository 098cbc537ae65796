import { extname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tool } from "#core/ports/agent";
import { type ProcessResult, runProcess } from "#sandbox/process/run";
import { optionalText, pathArgument, textArgument } from "./arguments.ts";
import { findPlace, type ResolvedPath, statPlace, type ToolDeps } from "./resolved-path.ts";
import type { Match, SearchReport, SearchRequest } from "./search-walk.ts";

const MOST_MATCHES = 200;
const MOST_FILES = 500;
const DEADLINE_MS = 15_000;
const MEMORY_MB = 512;
/** Far more than the maximum number of matches can fill. */
const MOST_REPORT_BYTES = 8 * 1024 * 1024;

/** `search_files`: lines by regular expression, or files by name. `deadlineMs` is for tests. */
export function createSearchFiles(deps: ToolDeps, deadlineMs = DEADLINE_MS): Tool {
  return {
    name: "search_files",
    description:
      "Searches below a folder. With target `content` (the default) `pattern` is a regular expression (JavaScript's) " +
      "tested on each line of each text file; with target `files` it is a glob for file names (`*.ts`), or for paths " +
      "below the folder when it contains a slash (`src/**/*.ts`). Skips .git, node_modules, binary files and links.",
    parameters: {
      type: "object",
      properties: {
        pattern: { type: "string", minLength: 1, description: "The regular expression or glob" },
        path: { type: "string", description: "The folder (or one file) to search; the working directory when absent" },
        target: { type: "string", enum: ["content", "files"], description: "What to search; content when absent" },
      },
      required: ["pattern"],
      additionalProperties: false,
    },
    async execute(args, call) {
      const pattern = textArgument(args, "pattern");
      if (pattern === "") throw new Error('"pattern" must not be empty');
      const target = optionalText(args, "target") ?? "content";
      if (target !== "content" && target !== "files") throw new Error('"target" must be "content" or "files"');
      const place = findPlace(
        args["path"] === undefined || args["path"] === "" ? "." : pathArgument(args, "path"),
        "read",
        call,
        deps,
      );
      await statPlace(place);
      const guards = deps.guard.unreadable();
      const mostMatches = target === "content" ? MOST_MATCHES : MOST_FILES;
      const request = { pattern, target, root: place.path, guards, mostMatches } as const;
      return present(await runSearch(request, call.signal, deadlineMs), { target, place, cwd: call.cwd });
    },
  };
}

interface Found {
  readonly matches: Match[];
  readonly files: string[];
  /** Why there may be more results, or null when these are all. */
  readonly stopped: string | null;
}

/** Runs a search in a process until it ends, its deadline passes or the call is aborted; returns what it has found. */
async function runSearch(request: SearchRequest, signal: AbortSignal, deadlineMs: number): Promise<Found> {
  const entry = fileURLToPath(new URL(`./search-entry${extname(import.meta.filename)}`, import.meta.url));
  const result = await runProcess({
    argv: [process.execPath, `--max-old-space-size=${MEMORY_MB}`, entry],
    cwd: "/",
    env: {},
    stdin: JSON.stringify(request),
    timeoutMs: deadlineMs,
    maxOutputBytes: MOST_REPORT_BYTES,
    overflow: "kill",
    signal,
  });
  const found = readReports(result.stdout);
  if (result.ended === "interrupted") throw new Error("interrupted; the search was stopped");
  if (result.ended === "timeout") return { ...found, stopped: describeDeadline(deadlineMs) };
  if (result.ended === "overflow") return { ...found, stopped: STOPPED.matches };
  if (found.end === undefined) throw new Error(`the search failed: ${describeFailure(result)}`);
  if (found.end.reason === "pattern") throw new Error(`"pattern": ${found.end.problem ?? "not a valid expression"}`);
  return { ...found, stopped: STOPPED[found.end.reason] };
}

type End = Extract<SearchReport, { kind: "end" }>;

/** Reads the reports; the last line may be incomplete if the process was stopped. */
function readReports(output: string): Omit<Found, "stopped"> & { end: End | undefined } {
  const reports = output
    .slice(0, output.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SearchReport);
  return {
    matches: reports.flatMap((report) => (report.kind === "matches" ? report.matches : [])),
    files: reports.flatMap((report) => (report.kind === "files" ? report.files : [])),
    end: reports.find((report) => report.kind === "end"),
  };
}

function describeFailure({ start_problem, stderr, exit_code, signal }: ProcessResult): string {
  return (
    start_problem ?? stderr.split("\n").find((line) => /error/i.test(line)) ?? `it exited with ${exit_code ?? signal}`
  );
}

const STOPPED = {
  complete: null,
  matches: "there are more matches; narrow the pattern or the path",
  entries: "there are too many files; narrow the path",
} as const;

function describeDeadline(deadlineMs: number): string {
  return `the search was stopped after ${deadlineMs / 1000} s; narrow the path, or use a simpler expression`;
}

interface Presentation {
  readonly target: "content" | "files";
  readonly place: ResolvedPath;
  readonly cwd: string;
}

function present({ matches, files, stopped }: Found, { target, place, cwd }: Presentation) {
  const show = (path: string) => {
    const spelled = join(place.spelled, relative(place.path, path));
    const short = relative(cwd, spelled);
    return short.startsWith("..") || isAbsolute(short) ? spelled : short;
  };
  const end = stopped === null ? { truncated: false } : { truncated: true, note: stopped };
  if (target === "files") return { files: files.map(show), ...end };
  return { matches: matches.map((match) => ({ ...match, path: show(match.path) })), ...end };
}
