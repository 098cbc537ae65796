import { writeFile } from "node:fs/promises";

export interface ReplaceOptions {
  /** The mode of a new file; by default the umask's. An existing file keeps its mode. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
}

/**
 * Atomically replaces a user's file, following links; its owner and mode are kept. Rejects with the file system's
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
