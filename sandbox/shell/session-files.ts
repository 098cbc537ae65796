/**
 * Files of a session that scripts of other programs expect: its transcript, and what hooks export to its commands.
 * They lie in a folder for each session, private to the user, and are written only when such a script runs.
 */
import { appendFileSync, closeSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { problemOf } from "#core/errors";
import { ensureFolder, userHome } from "#core/home/paths";
import type { SessionReader } from "#core/ports/agent";
import { readRegularFile } from "#core/regular-file";
import type { SessionFiles, ShellContext } from "./protocol.ts";
import { readExports } from "./protocols/claude-env.ts";
import { transcriptLine } from "./protocols/claude-transcript.ts";

export interface SessionFilesOptions {
  /** Holds a folder for each session. */
  readonly folder: string;
  readonly sessions: SessionReader;
  /** Of the program, for the transcript. */
  readonly version: () => string;
  readonly place: ShellContext;
  /** Takes a sentence about files that cannot be written, and about lines that do not count. */
  readonly warn: (sentence: string) => void;
  /** Takes variables whose values may be secrets, by their names; called when they change. */
  readonly keepSecret: (variables: Readonly<Record<string, string>>) => void;
}

/** What is known of a transcript since its last line was written. */
interface Written {
  readonly position: number;
  readonly created_at: string;
  readonly bytes: number;
}

const PRIVATE = { mode: 0o600 } as const;
const MOST_ENVIRONMENT_BYTES = 64 * 1024;
const MOST_REMEMBERED = 200;
const DEEPEST = 10;
/** Ids that are safe as names; sessions have no other. */
const NAME = /^[\w-]{1,100}$/;

export function createSessionFiles(options: SessionFilesOptions): SessionFiles {
  const { folder, sessions, version, place, warn, keepSecret } = options;
  const written = new Map<string, Written>();
  let kept = "";
  const said = new Set<string>();

  function warnOnce(sentence: string): void {
    if (said.has(sentence) || said.size >= MOST_REMEMBERED) return;
    said.add(sentence);
    warn(sentence);
  }

  function transcript(id: string): string | null {
    if (!NAME.test(id)) return null;
    const file = join(folder, id, `${id}.jsonl`);
    try {
      ensureFolder(join(folder, id));
      follow(id, file);
      return file;
    } catch (error) {
      warnOnce(`The transcript for hooks cannot be written: ${problemOf(error)}`);
      return null;
    }
  }

  /** Appends the messages since the last call, or rewrites the file if it was changed in between. */
  function follow(id: string, file: string): void {
    const last = written.get(id);
    if (last !== undefined && last.bytes === sizeOf(file)) {
      const [same, ...added] = sessions.messagesFrom(id, last.position);
      if (same?.position === last.position && same.created_at === last.created_at) {
        if (added.length === 0) return;
        const text = linesOf(id, added, last.position);
        appendFileSync(file, text, PRIVATE);
        return remember(id, added.at(-1)!, last.bytes + Buffer.byteLength(text));
      }
    }
    const all = sessions.messagesFrom(id, 0);
    const text = linesOf(id, all, null);
    writeFileSync(`${file}.new`, text, PRIVATE);
    renameSync(`${file}.new`, file);
    const end = all.at(-1);
    if (end === undefined) written.delete(id);
    else remember(id, end, Buffer.byteLength(text));
  }

  function remember(id: string, { position, created_at }: Pick<Written, "position" | "created_at">, bytes: number) {
    written.delete(id);
    written.set(id, { position, created_at, bytes });
    if (written.size > MOST_REMEMBERED) written.delete(written.keys().next().value ?? "");
  }

  function linesOf(id: string, messages: ReturnType<SessionReader["messagesFrom"]>, before: number | null): string {
    const session = sessions.get(id);
    const sidechain = (session?.parent ?? null) !== null;
    const context = { session_id: id, sidechain, model: session?.model ?? "", version: version(), place };
    return messages
      .map((message, index) => {
        const previous = index === 0 ? before : messages[index - 1]!.position;
        return `${transcriptLine(message, previous, context)}\n`;
      })
      .join("");
  }

  function environmentFile(id: string, name: string): string | null {
    if (!NAME.test(id) || !NAME.test(name)) return null;
    const file = join(folder, id, `${name}.env`);
    try {
      ensureFolder(join(folder, id));
      closeSync(openSync(file, "a", PRIVATE.mode));
      return file;
    } catch (error) {
      warnOnce(`Hooks cannot export variables to commands: ${problemOf(error)}`);
      return null;
    }
  }

  /** A child agent's commands have the variables of the user's session. */
  function environment(sessionId: string): Readonly<Record<string, string>> {
    let id: string | null | undefined = sessionId;
    for (let depth = 0; depth < DEEPEST && id && NAME.test(id); depth++) {
      const files = environmentFiles(join(folder, id));
      if (files.length > 0) return secured(files.reduce(addExports, {}));
      id = sessions.get(id)?.parent;
    }
    return {};
  }

  function secured(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const now = JSON.stringify(variables);
    if (now !== kept) keepSecret(variables);
    kept = now;
    return variables;
  }

  function addExports(before: Readonly<Record<string, string>>, file: string): Readonly<Record<string, string>> {
    const found = readRegularFile(file, { mostBytes: MOST_ENVIRONMENT_BYTES, ours: true });
    if (found.kind === "refused") warnOnce(`${file} is ignored: it ${found.problem}`);
    if (found.kind !== "read") return before;
    const home = userHome(place.env);
    const { variables, problems } = readExports(found.content.toString("utf8"), { ...place.env, ...before }, home);
    for (const problem of problems) warnOnce(`A line that a hook wrote to CLAUDE_ENV_FILE does not count: ${problem}.`);
    return { ...before, ...variables };
  }

  return { transcript, environmentFile, environment };
}

function environmentFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".env"));
    return names.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).map((name) => join(folder, name));
  } catch {
    // No hook has run in this session.
    return [];
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}

/** Younger folders may belong to a session that another process has not stored yet. */
const LEAST_AGE_MS = 3_600_000;

/** Removes the folders of sessions that are gone. Never throws. */
export function sweepSessionFiles(folder: string, sessions: Pick<SessionReader, "get">, now = Date.now()): void {
  try {
    for (const id of readdirSync(folder)) {
      const path = join(folder, id);
      if (now - statSync(path).mtimeMs < LEAST_AGE_MS || sessions.get(id) !== undefined) continue;
      rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // There is no such folder, or it cannot be read now; the next start tries again.
  }
}
