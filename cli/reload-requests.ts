/**
 * How a person reaches running processes with "reload now": a file `run/<pid>.reload-<id>` with the pid of the asker
 * asks, the process takes it away and answers with `run/<pid>.reloaded-<id>`. Files, not signals or sockets: a process
 * that does not know them is not hurt, and a home may lie as deep as it likes.
 */
import { randomBytes } from "node:crypto";
import { closeSync, readdirSync, readFileSync, statSync, unlinkSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { problemOf } from "#core/errors";
import { readLive, type LiveProcess } from "#core/home/live";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import type { ReloadReport } from "./reload.ts";
import { isFromPerson, writeHeldRequest } from "./reload-asker.ts";

/** What one process said to the request. */
export interface ReloadAnswer extends ReloadReport {
  readonly pid: number;
  readonly command: string;
}

export interface Listening {
  /** The home's `run/`. */
  readonly folder: string;
  /** `fromPerson` is false for a request that may be the agent's. */
  readonly reload: (fromPerson: boolean) => Promise<ReloadReport>;
  /** Told when an answer could not be written. */
  readonly onError: (problem: string) => void;
}

/** Where the system tells of changes it does so at once; this is for where it does not. */
const SLOW_POLL_MS = 3000;
const FAST_POLL_MS = 50;
const PATIENCE_MS = 10_000;

/** Answers requests until the returned function is called. A home that takes no writes gets no requests either. */
export function listenForReloads({ folder, reload, onError }: Listening): () => void {
  const asks = `${process.pid}.reload-`;
  const answers = `${process.pid}.reloaded-`;
  let watched: FolderWatch | undefined;
  let changedAt = 0;
  let closed = false;
  try {
    ensureFolder(folder);
  } catch {
    // The live snapshot lies in the same folder and says that it cannot be written.
    return () => undefined;
  }
  for (const name of namesIn(folder)) if (isOurs(name)) removeFile(join(folder, name));
  watchFolder();
  const timer = setInterval(poll, SLOW_POLL_MS).unref();

  function isOurs(name: string): boolean {
    return name.startsWith(asks) || name.startsWith(answers);
  }

  function watchFolder(): void {
    watched?.stop();
    watched = openWatch(folder, (name) => {
      if (name === null || name.startsWith(asks)) take();
    });
  }

  /** Two calls of the system while nothing happens. */
  function poll(): void {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats === undefined || stats.mtimeMs === changedAt) return;
    changedAt = stats.mtimeMs;
    if (stats.ino !== watched?.inode) watchFolder();
    take();
  }

  function take(): void {
    for (const name of namesIn(folder)) {
      if (closed || !isRequest(name, asks)) continue;
      const fromPerson = isFromPerson(join(folder, name));
      // Who takes the file away has the request.
      if (removeFile(join(folder, name))) void answer(name.slice(asks.length), fromPerson);
    }
  }

  async function answer(id: string, fromPerson: boolean): Promise<void> {
    const report = await reload(fromPerson);
    if (closed) return;
    const file = join(folder, `${answers}${id}`);
    try {
      writePrivateFile(file, JSON.stringify(report));
    } catch (error) {
      onError(`${file} cannot be written: ${problemOf(error)}`);
    }
  }

  return () => {
    closed = true;
    clearInterval(timer);
    watched?.stop();
    for (const name of namesIn(folder)) if (isOurs(name)) removeFile(join(folder, name));
  };
}

interface FolderWatch {
  readonly inode: number;
  readonly stop: () => void;
}

/** Undefined without the folder, or when no watches are left: the poll finds the requests, only later. */
function openWatch(folder: string, onChange: (name: string | null) => void): FolderWatch | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => onChange(name));
    const inode = statSync(folder).ino;
    // The poll goes on; it finds what the watcher misses, and watches again.
    watcher.on("error", () => watcher.close());
    return { inode, stop: () => watcher.close() };
  } catch {
    // See above.
    return undefined;
  }
}

/** True for a complete request: the file that one is written through has a longer name. */
function isRequest(name: string, asks: string): boolean {
  return name.startsWith(asks) && /^[0-9a-f]+$/.test(name.slice(asks.length));
}

/**
 * Asks every process of the home that runs hooks to reload, and waits for each, ten seconds at most. Throws what
 * writing into `run/` throws.
 */
export async function requestReloads(folder: string): Promise<readonly ReloadAnswer[]> {
  const deadline = performance.now() + PATIENCE_MS;
  return Promise.all(readLive(folder).map((found) => request(folder, found, deadline)));
}

async function request(folder: string, found: LiveProcess, deadline: number): Promise<ReloadAnswer> {
  const { pid, command, reloads } = found;
  const failed = (problem: string) => ({ pid, command, ok: false, changes: [], problems: [problem] });
  if (!reloads) return failed("This process is an older version that cannot reload. Restart it.");
  const id = randomBytes(6).toString("hex");
  const [ask, answer] = [join(folder, `${pid}.reload-${id}`), join(folder, `${pid}.reloaded-${id}`)];
  const held = writeHeldRequest(ask);
  try {
    while (performance.now() < deadline) {
      const report = readAnswer(answer);
      if (report !== undefined) return { pid, command, ...report };
      if (!readLive(folder).some((other) => other.pid === pid)) {
        return { pid, command, ok: true, changes: ["it ended before reloading"], problems: [] };
      }
      await delay(FAST_POLL_MS);
    }
    return failed(`It did not answer within ${PATIENCE_MS / 1000} s.`);
  } finally {
    closeSync(held);
    removeFile(ask);
    removeFile(answer);
  }
}

/** The report in a file; undefined while there is none. */
function readAnswer(file: string): ReloadReport | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Not there yet.
    return undefined;
  }
  const { ok, changes, problems } = JSON.parse(text) as Partial<ReloadReport>;
  return { ok: ok === true, changes: texts(changes), problems: texts(problems) };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The folder is gone: nobody asks anything.
    return [];
  }
}

/** False when somebody else had taken it away already, or it cannot be. */
function removeFile(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    // Gone already, or the folder takes no changes: then it is asked again at the next look.
    return false;
  }
}
