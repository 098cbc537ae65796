/** Converts the hooks of a settings file into entries of `hooks:`, and says what cannot be converted. */
import { declarationOf } from "#core/events";
import { isMapping } from "#core/mapping";
import { didYouMean } from "#core/suggest";
import { parseHookEntries } from "#sandbox/shell/entries";
import { matchesText } from "#sandbox/shell/protocols/program";
import { convertHandler, type ConvertedHandler } from "./handler.ts";
import { findFolders, variablesOf } from "./folders.ts";
import type { ProgramReader } from "./program-reader.ts";
import { eventsIn } from "./readers.ts";
import type { SettingsPath, SettingsPlace, SettingsFile } from "./settings-file.ts";

/** A remark about a place in the file. */
export interface ImportRemark {
  readonly line: number | null;
  readonly column: number | null;
  /** Such as `hooks.PreToolUse[0].hooks[1]`. */
  readonly key: string;
  /** As a clause. */
  readonly problem: string;
  /** False when a hook was left out, true when it was imported all the same. */
  readonly imported: boolean;
}

/** An entry of `hooks:` as it is written. */
export type WrittenEntry = Readonly<Record<string, unknown>> & { readonly command: string };

export interface ImportedHooks {
  readonly hooks: Readonly<Record<string, readonly WrittenEntry[]>>;
  readonly remarks: readonly ImportRemark[];
  /** The number of hooks in the file. */
  readonly found: number;
  /** The project that the hooks were written for; null when they are for every project. */
  readonly project: string | null;
}

interface FoundHook {
  readonly path: SettingsPath;
  readonly event: string;
  readonly matcher: unknown;
  readonly matcherPath: SettingsPath;
  readonly handler: unknown;
}

/** Takes what is wrong with a key of the file; with `isImported`, the hook is imported all the same. */
type Remark = (path: SettingsPath, problem: string, isImported?: boolean) => undefined;

/** Converts all hooks of the file; `home` is the user's folder. Never throws for what the file contains. */
export function convertSettings(settings: SettingsFile, reader: ProgramReader, home: string): ImportedHooks {
  const remarks: ImportRemark[] = [];
  const remark: Remark = (path, problem, isImported = false): undefined => {
    const place: SettingsPlace | null = settings.placeOf(path);
    const where = { line: place?.line ?? null, column: place?.column ?? null, key: keyOf(path) };
    remarks.push({ ...where, problem, imported: isImported });
  };
  const folders = findFolders(settings.file, reader, home);
  const context = { reader, folders, variables: variablesOf(folders, reader) };
  const root = isMapping(settings.value) ? settings.value : {};
  const off = reader.switchedOff?.(root);
  const disabled = reader.disabledHooks?.(root) ?? [];
  if (off !== undefined) remark([], `${off}, so the hooks are imported with enabled: false`, true);
  const hooks: Record<string, WrittenEntry[]> = {};
  const { found, others } = findHooks(settings.value, reader, remark);
  for (const hook of found) {
    const row = reader.program.events.find(({ name }) => name === hook.event)!;
    const handler = convertHandler(hook.handler, row, context, (key, problem, isImported) =>
      remark(key === null ? hook.path : [...hook.path, key], problem, isImported),
    );
    const matcher = handler === undefined ? undefined : convertMatcher(hook, reader, remark);
    if (handler === undefined || matcher === undefined) continue;
    const list = (hooks[row.event] ??= []);
    const isDisabled = disabled.some((name) => nameOrCommand(hook.handler).includes(name));
    if (isDisabled) remark(hook.path, "the settings disable it, so it is imported with enabled: false", true);
    const entry = writtenEntry(hook, reader, { handler, matcher, isOff: off !== undefined || isDisabled });
    const isRepeated = list.some((other) => sameHook(other, entry));
    if (isRepeated) remark(hook.path, "the same hook is above", false);
    else if (isValid(row.event, entry, hook, home, remark)) list.push(entry);
  }
  remarks.sort((one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0));
  return { hooks: withoutEmpty(hooks), remarks, found: found.length + others, project: folders.project };
}

function nameOrCommand(handler: unknown): readonly unknown[] {
  return isMapping(handler) ? [handler["name"], handler["command"]].filter((each) => typeof each === "string") : [];
}

interface Found {
  readonly found: readonly FoundHook[];
  /** The number of hooks of other events, which are remarked on. */
  readonly others: number;
}

/** All hooks in the file's order. */
function findHooks(value: unknown, reader: ProgramReader, remark: Remark): Found {
  const prefix: SettingsPath = isMapping(value) && isMapping(value["hooks"]) ? ["hooks"] : [];
  const found: FoundHook[] = [];
  let others = 0;
  for (const [event, list] of Object.entries(eventsIn(value) ?? {})) {
    if (reader.notEvents.includes(event)) continue;
    const path = [...prefix, event];
    const isKnown = reader.program.events.some(({ name }) => name === event);
    if (!isKnown) remark(path, describeMissing(event, reader));
    else if (!Array.isArray(list)) remark(path, "a list of hooks was expected");
    const items: readonly unknown[] = Array.isArray(list) ? list : [];
    const hooks = items.flatMap((item, index) =>
      hooksOf(item, { event, path: [...path, index] }, reader, isKnown ? remark : () => undefined),
    );
    if (isKnown) found.push(...hooks);
    else others += hooks.length;
  }
  return { found, others };
}

function describeMissing(event: string, { program, missing }: ProgramReader): string {
  const reason = Object.hasOwn(missing, event) ? missing[event] : undefined;
  if (reason !== undefined) return `not imported: ${reason}`;
  const names = program.events.map(({ name }) => name);
  return `not imported: ${program.owner} has no event of this name that hermes knows.${didYouMean(event, names)}`;
}

function hooksOf(
  item: unknown,
  { event, path }: Pick<FoundHook, "event" | "path">,
  { layout }: ProgramReader,
  remark: Remark,
): readonly FoundHook[] {
  if (!isMapping(item)) {
    remark(path, "an object was expected");
    return [];
  }
  const where = { event, matcher: item["matcher"], matcherPath: [...path, "matcher"] };
  if (layout === "list") return [{ ...where, path, handler: item }];
  const handlers = item["hooks"];
  if (!Array.isArray(handlers)) {
    remark(path, '"hooks" with a list was expected');
    return [];
  }
  return handlers.map((handler: unknown, index) => ({ ...where, path: [...path, "hooks", index], handler }));
}

/** The matcher of the entry, or null for none; undefined when the hook never runs here. */
function convertMatcher(hook: FoundHook, { program }: ProgramReader, remark: Remark): string | null | undefined {
  const { matcher, matcherPath } = hook;
  if (matcher === undefined || matcher === null) return null;
  if (typeof matcher !== "string") {
    remark(matcherPath, "a text was expected; the hook is not imported");
    return undefined;
  }
  const trimmed = matcher.trim();
  if (trimmed === "" || trimmed === "*") return null;
  const row = program.events.find(({ name }) => name === hook.event);
  if (row !== undefined && declarationOf(row.event).tool === true) return trimmed;
  if (row?.matchesText === undefined) {
    remark(matcherPath, `${hook.event} has no matchers; left out`, true);
    return null;
  }
  if (matchesText(program, trimmed, row.matchesText)) return null;
  remark(
    hook.path,
    `not imported: it is for ${JSON.stringify(trimmed)}, and here ${hook.event} is always "${row.matchesText}"`,
  );
  return undefined;
}

interface Converted {
  readonly handler: ConvertedHandler;
  readonly matcher: string | null;
  readonly isOff: boolean;
}

function writtenEntry(
  hook: FoundHook,
  { program }: ProgramReader,
  { handler, matcher, isOff }: Converted,
): WrittenEntry {
  const rows = program.events;
  const row = rows.find(({ name }) => name === hook.event);
  const usual = rows.find(({ event }) => event === row?.event);
  const { name, command, args, timeoutSeconds, failClosed, isBackground } = handler;
  return {
    ...(name === undefined ? {} : { name }),
    protocol: program.protocol,
    ...(usual?.name === hook.event ? {} : { protocol_event: hook.event }),
    ...(matcher === null ? {} : { matcher }),
    command,
    ...(args === undefined ? {} : { args }),
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds }),
    ...(failClosed ? { fail_closed: true } : {}),
    ...(isBackground ? { async: true } : {}),
    ...(isOff ? { enabled: false } : {}),
  };
}

/** What makes two entries of an event one hook; the rest is how it is run. */
const IDENTITY = ["protocol", "protocol_event", "matcher", "command", "args"];

export function sameHook(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  return IDENTITY.every((key) => JSON.stringify(one[key] ?? null) === JSON.stringify(other[key] ?? null));
}

/** The configuration's own rules have the last word: an entry that it would refuse is not imported. */
function isValid(event: string, entry: WrittenEntry, hook: FoundHook, home: string, remark: Remark): boolean {
  const { entries, warnings } = parseHookEntries({ [event]: [entry] }, home);
  const isBroken = entries[0] === undefined || entries[0].problem !== null;
  for (const warning of warnings) {
    const clause = warning.replace(/^hooks\.\w+\[0\](?:\.(\w+))?: /, (_, key?: string) =>
      key === undefined ? "" : `${key}: `,
    );
    remark(hook.path, clause, !isBroken);
  }
  return !isBroken;
}

function withoutEmpty(hooks: Record<string, WrittenEntry[]>): Record<string, WrittenEntry[]> {
  return Object.fromEntries(Object.entries(hooks).filter(([, list]) => list.length > 0));
}

/** `hooks.PreToolUse[0].hooks[1]`. */
function keyOf(path: SettingsPath): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}
