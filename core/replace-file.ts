import { writeFile } from "node:fs/promises";

export interface ReplaceOptions {
  /** The mode of a file that is made; without it, and for one that is there, the file's own or the umask's. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
}

/**
 * Replaces a user's file in one step, where its links lead; its owner and mode stay. Rejects with what the file system
 * rejects with; then the old file is as it was.
 */
export async function replaceFile(file: string, content: string, { mode, signal }: ReplaceOptions = {}): Promise<void> {
  const { default: writeFileAtomic } = await import("write-file-atomic");
  await writeFileAtomic(file, "", {
    ...(mode === undefined ? {} : { mode }),
    // The package writes once and does not look how much of it arrived: on a full disk it would put the first part of
    // the content in the old file's place. `writeFile` writes to the end or fails.
    // oxlint-disable-next-line typescript/no-misused-promises -- the package awaits it, its types do not say so
    tmpfileCreated: (temporary) => writeFile(temporary, content, { encoding: "utf8", signal }),
  });
}
