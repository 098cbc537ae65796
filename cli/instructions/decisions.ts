/** What the user decided about the instructions of each repository: `instructions.json` of the home. */
import { dirname } from "node:path";
import { isMapping } from "#core/mapping";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { readRegularFile } from "#core/regular-file";

interface Decision {
  /** The repository's root. */
  readonly path: string;
  readonly follow: boolean;
  readonly decided_at: string;
}

const MOST_BYTES = 4 * 1024 * 1024;

/** True to follow, false not to, undefined where nobody was asked, or where the file cannot be trusted. */
export function decisionFor(file: string, root: string): boolean | undefined {
  return read(file)?.find(({ path }) => path === root)?.follow;
}

/** Remembers a decision. Rejects with what the file system throws. A file that is no list of decisions is replaced. */
export async function rememberDecision(file: string, root: string, follow: boolean): Promise<void> {
  ensureFolder(dirname(file));
  const { withLock } = await import("#allowlist/lock");
  await withLock(file, (isOurs) => {
    const others = (read(file) ?? []).filter(({ path }) => path !== root);
    const repositories = [...others, { path: root, follow, decided_at: new Date().toISOString() }];
    writePrivateFile(file, `${JSON.stringify({ repositories }, null, 2)}\n`, { beforeReplacing: isOurs });
  });
}

function read(file: string): readonly Decision[] | undefined {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
  // What others may write is no decision of the user.
  if (reading.kind !== "read" || (reading.stats.mode & 0o022) !== 0) return undefined;
  try {
    const document: unknown = JSON.parse(reading.content.toString("utf8"));
    if (!isMapping(document) || !Array.isArray(document["repositories"])) return undefined;
    return document["repositories"].filter(isDecision);
  } catch {
    // Damaged: the user is asked again, and the answer replaces the file.
    return undefined;
  }
}

function isDecision(entry: unknown): entry is Decision {
  return isMapping(entry) && typeof entry["path"] === "string" && typeof entry["follow"] === "boolean";
}
