/** Completes what is typed in a conversation: slash commands and their arguments, `@files`, and paths. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { slashSummaries } from "#core/slash-commands";
import { truncate } from "#core/truncate";
import type { Host } from "../host/host.ts";

export interface Candidate {
  /** What replaces the word. */
  readonly value: string;
  readonly description?: string;
}

export interface Completion {
  /** The end of the text before the cursor that a candidate replaces. */
  readonly word: string;
  readonly candidates: readonly Candidate[];
}

/** Completes the text before the cursor; undefined where there is nothing to complete. */
export type Complete = (before: string) => Completion | undefined;

const MOST_CANDIDATES = 200;
const MOST_SESSIONS = 50;
/** Folders of a project whose files nobody means, and how many files are looked at. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules"]);
const MOST_FILES = 20_000;

export function createCompletion(host: Host, cwd: string): Complete {
  return (before) => {
    const command = /^\/([\w-]*)$/.exec(before);
    if (command !== null) return completed(before, commands(host));
    const argument = /^\/([\w-]+)\s+(\S*)$/.exec(before);
    const choices = argument === null ? undefined : argumentsOf(argument[1]!, host);
    if (choices !== undefined) return completed(argument![2]!, choices);
    const word = /\S*$/.exec(before)![0];
    if (word.startsWith("@"))
      return { word, candidates: files(word.slice(1), cwd).map((path) => ({ value: `@${path}` })) };
    return word === "" ? undefined : { word, candidates: paths(word, cwd).map((path) => ({ value: path })) };
  };
}

function completed(word: string, all: readonly Candidate[]): Completion {
  return { word, candidates: all.filter(({ value }) => value.startsWith(word)).slice(0, MOST_CANDIDATES) };
}

function commands(host: Host): Candidate[] {
  const plugins = host.plugins.commands().map(({ name, description }) => [name, description] as const);
  return [...slashSummaries("chat"), ...plugins]
    .map(([word, description]) => ({ value: `/${word}`, description }))
    .toSorted((some, other) => some.value.localeCompare(other.value));
}

function argumentsOf(command: string, host: Host): Candidate[] | undefined {
  if (command === "resume") {
    const sessions = host.sessions.list({ limit: MOST_SESSIONS }).map(({ id, title, message_count }) => ({
      value: id,
      description: [title === null ? "" : truncate(title, 60), `${message_count} messages`].filter(Boolean).join(", "),
    }));
    return [{ value: "latest", description: "the one that was used last" }, ...sessions];
  }
  if (command === "model") {
    const used = host.sessions.list({ limit: MOST_SESSIONS }).flatMap(({ model }) => model ?? []);
    return [...new Set([host.model.describe().id, ...used])].map(candidate);
  }
  return command === "reasoning" ? ["on", "off"].map(candidate) : undefined;
}

function candidate(value: string): Candidate {
  return { value };
}

/** The entries of a folder that begin like the path; folders end in a slash. */
function paths(path: string, cwd: string): string[] {
  const at = path.lastIndexOf("/") + 1;
  const [folder, begun] = [path.slice(0, at), path.slice(at)];
  const place = folder.startsWith("~/") ? join(homedir(), folder.slice(2)) : resolve(cwd, folder);
  return entriesOf(place)
    .filter(({ name }) => name.startsWith(begun) && (begun.startsWith(".") || !name.startsWith(".")))
    .map(({ name, isFolder }) => folder + name + (isFolder ? "/" : ""))
    .slice(0, MOST_CANDIDATES);
}

/** Entries that begin like the path, else the project's files whose path holds it, those with it in their name first. */
function files(path: string, cwd: string): string[] {
  const near = paths(path, cwd);
  if (near.length > 0 || path.includes("..") || path.startsWith("/") || path.startsWith("~")) return near;
  const wanted = path.toLowerCase();
  const found = projectFiles(cwd).filter((file) => file.toLowerCase().includes(wanted));
  const inName = (file: string) => (basename(file).toLowerCase().includes(wanted) ? 0 : 1);
  return found.toSorted((some, other) => inName(some) - inName(other) || some.length - other.length).slice(0, 50);
}

/** Files below the folder, nearest ones first, without those of dependencies. */
function projectFiles(cwd: string): string[] {
  const found: string[] = [];
  const folders = [""];
  for (let folder = folders.shift(); folder !== undefined && found.length < MOST_FILES; folder = folders.shift()) {
    for (const { name, isFolder } of entriesOf(join(cwd, folder))) {
      const path = join(folder, name);
      if (!isFolder) found.push(path);
      else if (!SKIPPED.has(name)) folders.push(path);
    }
  }
  return found;
}

function entriesOf(folder: string): { name: string; isFolder: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
      .toSorted((some, other) => some.name.localeCompare(other.name));
  } catch {
    // The folder does not exist or cannot be read: there is nothing to complete.
    return [];
  }
}
