/**
 * The source files of one version of an extension. A version keeps them, so that a thread or an isolate that starts
 * later loads what was accepted and not what is on the disk by then.
 */

export interface KeptSource {
  /** The real path, which is the module's address. */
  readonly real: string;
  readonly content: Uint8Array;
}

/** By path below the extension's folder, and by real path. Files that are missing here are read from the disk. */
export type KeptSources = ReadonlyMap<string, KeptSource>;

/** How much of a folder is kept; an extension's own code is smaller. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** Collects the sources of one version, up to a limit in bytes. */
export class SourceKeeper {
  readonly sources = new Map<string, KeptSource>();
  #bytes = 0;

  /** Keeps a file, if there is room. */
  keep(path: string, real: string, content: Uint8Array): void {
    if (this.#bytes + content.length > MOST_KEPT_BYTES) return;
    this.#bytes += content.length;
    const source: KeptSource = { real, content };
    this.sources.set(path, source);
    this.sources.set(real, source);
  }
}
