/**
 * Whether somebody else could change what hermes obeys or runs (CONTRACT §2): the configuration, plugins, hooks,
 * scripts, and the folders above them in the home.
 */
import { lstatSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { quoteWord } from "#core/shell-quote";

/** What is read of a file or folder. */
export interface Access {
  readonly uid: number;
  readonly mode: number;
}

export interface AccessOptions {
  /** The home. Above a path in it, all folders up to it are checked; above another path, only the folder itself. */
  readonly home: string;
  /** The access of a path, or of the link itself; undefined when there is none. Tests replace it. */
  readonly look?: (path: string, kind: "target" | "link") => Access | undefined;
  /** The user's id; that of this process without it. */
  readonly user?: number;
}

const EVERYONE = 0o002;
const STICKY = 0o1000;

/**
 * Why a file or folder is not safe from others, as a clause that names the cure; null when it is, and for a path that
 * does not exist. In the home, everything must belong to the user or root; nowhere may everyone write. A folder in which
 * only owners replace files (mode 1777, as /tmp) is safe for a file of the user or root.
 */
export function findAccessProblem(path: string, options: AccessOptions): string | null {
  const { look = lookAt, user = process.geteuid?.() ?? 0 } = options;
  const home = resolve(options.home);
  const spelled = resolve(path);
  // What a link leads to may be elsewhere, with folders of its own.
  for (const each of new Set([spelled, realPathOf(spelled)])) {
    const problem = problemOfChain(chainOf(each, home), look, user);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOfChain(
  { paths, isInHome }: Chain,
  look: NonNullable<AccessOptions["look"]>,
  user: number,
): string | null {
  const isForeign = ({ uid }: Access) => uid !== user && uid !== 0;
  for (const [index, path] of paths.entries()) {
    const access = look(path, "target");
    if (access === undefined) continue;
    if (isInHome && isForeign(access)) {
      return `${path} belongs to another user (uid ${access.uid}). Review it, then run: chown ${user} ${quoteWord(path)}`;
    }
    if ((access.mode & EVERYONE) === 0) continue;
    const below = paths[index - 1];
    const entry = below === undefined ? undefined : look(below, "link");
    const isKept = (access.mode & STICKY) !== 0 && entry !== undefined && !isForeign(entry);
    if (!isKept) return `everyone can write ${path}. Review it, then run: chmod o-w ${quoteWord(path)}`;
  }
  return null;
}

interface Chain {
  readonly paths: readonly string[];
  readonly isInHome: boolean;
}

/** The path and the folders above it, as far as they are checked. */
function chainOf(path: string, home: string): Chain {
  const top = [home, realPathOf(home)].find((each) => path === each || path.startsWith(`${each}/`));
  if (top === undefined) return { paths: [path, dirname(path)], isInHome: false };
  const paths = [path];
  for (let folder = path; folder !== top;) {
    folder = dirname(folder);
    paths.push(folder);
  }
  return { paths, isInHome: true };
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // It does not exist, or cannot be reached: there is nothing behind it to check.
    return path;
  }
}

function lookAt(path: string, kind: "target" | "link"): Access | undefined {
  try {
    return kind === "target" ? statSync(path) : lstatSync(path);
  } catch {
    // Missing or unreachable: whoever reads or runs it reports that.
    return undefined;
  }
}
