/** Finds the instructions that a project has for agents: `AGENTS.md`, else `CLAUDE.md`, of each folder on the way. */
import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { readRegularFile } from "#core/regular-file";

/** Of all files together. */
export const MOST_BYTES = 32 * 1024;
/** A larger file is not read at all. */
const LARGEST_FILE = 1024 * 1024;
const NAMES = ["AGENTS.md", "CLAUDE.md"];

export interface InstructionFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

export interface ProjectInstructions {
  /** The repository's root, or the working directory outside of one; its real path. */
  readonly root: string;
  /** From the root down; the last one may be cut. */
  readonly files: readonly InstructionFile[];
  /** Sentences about files that are left out or cut. */
  readonly problems: readonly string[];
}

/** The instructions for work in a folder. Never throws. */
export function findInstructions(cwd: string): ProjectInstructions {
  const here = realPath(cwd);
  if (here === undefined) return { root: cwd, files: [], problems: [] };
  const root = repositoryOf(here) ?? here;
  const files: InstructionFile[] = [];
  const problems: string[] = [];
  let left = MOST_BYTES;
  for (const folder of foldersBetween(root, here)) {
    const name = NAMES.find((one) => existsSync(join(folder, one)));
    if (name === undefined) continue;
    const path = relative(root, join(folder, name));
    const read = readText(join(folder, name), root);
    if ("problem" in read) {
      problems.push(`${path} ${read.problem}, so it is not followed.`);
      continue;
    }
    const text = cut(read.text, left);
    if (text.length < read.text.length) {
      problems.push(`${path} is cut: project instructions may have ${MOST_BYTES / 1024} KiB in all.`);
    }
    if (text !== "") files.push({ path, text });
    left -= Buffer.byteLength(text);
  }
  return { root, files, problems };
}

/** What the model gets. No file can pretend to be another one, or to end: the mark depends on all of the text. */
export function instructionsText({ files }: ProjectInstructions): string {
  const mark = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
  const parts = files.map(({ path, text }) => `--- ${mark} ${JSON.stringify(path)} ---\n${text}`);
  return [
    "The project that you work in has instructions for you, in files of its repository. The user lets you follow them. " +
      "The user's own words come first, and where two files disagree, the later one holds.",
    ...parts,
    `--- ${mark} end of the project's instructions ---`,
  ].join("\n\n");
}

/** The nearest folder with `.git`, a folder or a file. */
function repositoryOf(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    if (existsSync(join(here, ".git"))) return here;
    if (dirname(here) === here) return undefined;
  }
}

function foldersBetween(root: string, folder: string): readonly string[] {
  const steps = relative(root, folder)
    .split(sep)
    .filter((step) => step !== "");
  return [root, ...steps.map((_, index) => join(root, ...steps.slice(0, index + 1)))];
}

function readText(file: string, root: string): { readonly text: string } | { readonly problem: string } {
  // A link may lead to another file of the repository, not out of it: the text goes to the model's provider.
  const real = realPath(file);
  if (real === undefined) return { problem: "cannot be read" };
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return { problem: "leads out of the repository" };
  const reading = readRegularFile(real, { mostBytes: LARGEST_FILE });
  if (reading.kind === "absent") return { problem: "cannot be read" };
  if (reading.kind === "refused") return { problem: reading.problem };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(reading.content);
    return { text: withoutHidden(text).trim() };
  } catch {
    return { problem: "is not UTF-8 text" };
  }
}

/** Takes out what no reader sees: control characters, and invisible ones that could carry other instructions. */
function withoutHidden(text: string): string {
  return text
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[\p{C}\p{Default_Ignorable_Code_Point}]/gu, (character) =>
      character === "\n" || character === "\t" ? character : "",
    );
}

/** The beginning of the text, in so many bytes, without half a character. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  return new TextDecoder("utf-8").decode(encoded.subarray(0, Math.max(0, bytes)), { stream: true }).trimEnd();
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // It is gone, or a link that leads nowhere: the caller says so.
    return undefined;
  }
}
