/**
 * Keeps the last good version of an extension: a version that cannot be loaded leaves the earlier one running, with the
 * reason. Plugins and gateway hooks each describe themselves with a {@link VersionKind}.
 */
import { compareFingerprints, type Fingerprint } from "./fingerprint.ts";
import type { KeptSources } from "./sources.ts";

/** What a folder asks for, before its code is read. */
export type Wanted =
  | { readonly kind: "usable" }
  /** It is there, but switched off, or no extension any more: nothing keeps running. */
  | { readonly kind: "off"; readonly problem: string | null }
  /** It cannot be used as it is; the reason. */
  | { readonly kind: "broken"; readonly problem: string };

/** An extension and what runs of it. */
export interface VersionState<Running> {
  readonly running: Running | undefined;
  /** What `running` was loaded from; undefined while nothing runs, and for kinds that compare their folders elsewhere. */
  readonly files: VersionFolder | undefined;
  /** Why the current files do not run; null when they do, or are not meant to. */
  readonly problem: string | null;
}

export interface VersionFolder {
  readonly fingerprint: Fingerprint;
  readonly sources: KeptSources;
}

/** One kind of extension. */
export interface VersionKind<Found, Running> {
  readonly wantedOf: (found: Found) => Wanted;
  /** The folder whose files make a new version; null where the caller has compared it, or there is none. */
  readonly folderOf: (found: Found) => string | null;
  /** True when, with the same files, `running` need not be loaded again. */
  readonly isCurrent: (found: Found, running: Running) => boolean;
  /** Loads a version. Rejects when it cannot be used. `before` is what runs until then. */
  readonly load: (found: Found, sources: KeptSources, before: Running | undefined) => Promise<Running>;
  /** The reason in a rejection of `load`. */
  readonly describe: (error: unknown) => string;
}

export const NO_VERSION: VersionState<never> = { running: undefined, files: undefined, problem: null };
const NO_SOURCES: KeptSources = new Map();

/** The successor of `before`: the same running version when nothing has changed or the new one is unusable. Never rejects. */
export async function nextVersion<Found, Running>(
  kind: VersionKind<Found, Running>,
  found: Found,
  {
    before = NO_VERSION,
    everyFile = false,
  }: { readonly before?: VersionState<Running> | undefined; readonly everyFile?: boolean },
): Promise<VersionState<Running>> {
  const wanted = kind.wantedOf(found);
  if (wanted.kind === "off") return { ...NO_VERSION, problem: wanted.problem };
  if (wanted.kind === "broken") return { ...before, problem: wanted.problem };
  const { running } = before;
  const { changed, files } = compareFolder(kind.folderOf(found), before.files, everyFile);
  if (running !== undefined && !changed && kind.isCurrent(found, running)) return { running, files, problem: null };
  try {
    const loaded = await kind.load(found, files?.sources ?? NO_SOURCES, running);
    return { running: loaded, files, problem: null };
  } catch (error) {
    // With the old fingerprint, so that restoring the old files is not a change.
    return { ...before, problem: kind.describe(error) };
  }
}

function compareFolder(folder: string | null, before: VersionFolder | undefined, everyFile: boolean) {
  if (folder === null) return { changed: false, files: undefined };
  const { changed, fingerprint, sources } = compareFingerprints(folder, before?.fingerprint, { everyFile });
  // Without a change, the sources were not read again.
  return { changed, files: { fingerprint, sources: sources ?? before?.sources ?? NO_SOURCES } };
}
