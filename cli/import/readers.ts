/** THE table of programs whose hook settings can be imported, and how a file shows which one it is of. */
import { basename, dirname, resolve } from "node:path";
import { isMapping } from "#core/mapping";
import { CLAUDE_READER } from "./claude.ts";
import { CODEX_READER } from "./codex.ts";
import { COPILOT_READER } from "./copilot.ts";
import { CURSOR_READER } from "./cursor.ts";
import { GEMINI_READER } from "./gemini.ts";
import type { ImportableProgram } from "./options.ts";
import type { ProgramReader } from "./program-reader.ts";

export const READERS: Readonly<Record<ImportableProgram, ProgramReader>> = {
  claude: CLAUDE_READER,
  codex: CODEX_READER,
  gemini: GEMINI_READER,
  cursor: CURSOR_READER,
  copilot: COPILOT_READER,
};

/** The program that a file's hooks are for, by their events and keys, else by the file's folder; undefined when neither tells. */
export function recognise(file: string, value: unknown): ProgramReader | undefined {
  const place = byFolder(file);
  const events = eventsIn(value);
  const fitting = Object.values(READERS).filter((reader) => fits(reader, events));
  if (fitting.length === 0 || (place !== undefined && fitting.includes(place))) return place;
  // Codex has Claude Code's events: only its folder or its format tells them apart.
  return file.endsWith(".toml") && fitting.includes(CODEX_READER) ? CODEX_READER : fitting[0];
}

/** The events of a settings file, whether they are under `hooks` or the file is that block; undefined without any. */
export function eventsIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isMapping(value)) return undefined;
  if (isMapping(value["hooks"])) return value["hooks"];
  const isBlock = Object.keys(value).some((key) => Object.values(READERS).some((reader) => knows(reader, key)));
  return "hooks" in value || !isBlock ? undefined : value;
}

function knows({ program, missing }: ProgramReader, event: string): boolean {
  return program.events.some(({ name }) => name === event) || Object.hasOwn(missing, event);
}

/** Whether all events are the program's, and their hooks in its layout. */
function fits(reader: ProgramReader, events: Readonly<Record<string, unknown>> | undefined): boolean {
  if (events === undefined) return false;
  const named = Object.entries(events).filter(([name]) => !reader.notEvents.includes(name));
  const known = named.filter(([name]) => knows(reader, name));
  if (known.length === 0 || known.length * 2 < named.length) return false;
  return known.every(([, list]) => !Array.isArray(list) || list.every((item: unknown) => hasLayout(reader, item)));
}

function hasLayout({ layout, commandKeys, timeout }: ProgramReader, item: unknown): boolean {
  if (!isMapping(item)) return true;
  if (layout === "groups") return "hooks" in item;
  if ("hooks" in item) return false;
  const keys = [...commandKeys, ...timeout.keys, "prompt", "url"];
  return keys.some((key) => key in item) || "powershell" in item;
}

function byFolder(file: string): ProgramReader | undefined {
  const folder = dirname(resolve(file));
  const names = new Set([basename(folder), basename(dirname(folder))]);
  return Object.values(READERS).find((reader) => names.has(reader.folder));
}
