import { writeFile } from "node:fs/promises";

export interface ReplaceOptions {
  /** The mode of the file. By default an existing file keeps its own, and a new one has the umask's. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
}

/**
 * Atomically replaces a user's file, following links; its owner is kept. Rejects with the file system's
 * error; then the old file is unchanged.
 */
export async function replaceFile(file: string, content: string, { mode, signal }: ReplaceOptions = {}): Promise<void> {
  const { default: writeFileAtomic } = await import("write-file-atomic");
  await writeFileAtomic(file, "", {
    ...(mode === undefined ? {} : { mode }),
    // The package does not check how much it wrote: on a full disk it would replace the file with the first part of
    // the content. `writeFile` writes everything or fails.
    // oxlint-disable-next-line typescript/no-misused-promises -- the package awaits it, its types do not say so
    tmpfileCreated: (temporary) => writeFile(temporary, content, { encoding: "utf8", signal }),
  });
}
