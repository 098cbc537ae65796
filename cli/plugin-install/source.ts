/** Where a plugin comes from, as it is typed: `npm:NAME`, `git:URL` or the path of a folder. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { HermesError } from "#core/errors";

export type PluginSource =
  | { readonly kind: "npm"; readonly name: string; readonly version: string | null }
  | { readonly kind: "git"; readonly url: string; readonly ref: string | null }
  | { readonly kind: "folder"; readonly path: string };

const NPM_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
/** A version, a range or a tag; nothing that npm would take for an address or a file. */
const NPM_VERSION = /^[\w.^~><=|*+ -]{1,100}$/;
/** A branch, a tag or a commit; nothing that git would take for an option or a refspec. */
const GIT_REF = /^[A-Za-z0-9_][\w./+@-]{0,199}$/;
const REMOTE = /^[a-z][a-z0-9+.-]*:\/\/|^[\w.-]+@[\w.-]+:/i;

/** Parses the words of the command line. A relative path is below `cwd`. Throws HERMES_PLUGIN_SOURCE. */
export function parseSource(word: string, ref: string | null, cwd: string): PluginSource {
  const wrong = (problem: string) => new HermesError("HERMES_PLUGIN_SOURCE", { source: word, problem });
  if (word.startsWith("npm:")) {
    const spec = word.slice("npm:".length);
    const at = spec.indexOf("@", 1);
    const name = at === -1 ? spec : spec.slice(0, at);
    const version = ref ?? (at === -1 ? null : spec.slice(at + 1));
    if (!NPM_NAME.test(name)) throw wrong(`"${name}" is not the name of an npm package.`);
    if (version !== null && !NPM_VERSION.test(version)) throw wrong(`"${version}" is not a version.`);
    return { kind: "npm", name, version };
  }
  if (word.startsWith("git:")) {
    const rest = word.startsWith("git://") ? word : word.slice("git:".length);
    if (rest === "" || rest.startsWith("-")) throw wrong("expected an address or a path after git:.");
    if (ref !== null && !GIT_REF.test(ref)) throw wrong(`"${ref}" is not a branch, tag or commit.`);
    return { kind: "git", url: REMOTE.test(rest) ? rest : resolve(cwd, rest), ref };
  }
  if (REMOTE.test(word)) throw wrong(`to install it with git, write git:${word}`);
  if (ref !== null) throw wrong("--ref is for npm: and git:.");
  const path = resolve(cwd, word);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw wrong("there is no such folder. Write npm:NAME, git:URL or the path of a folder.");
  }
  return { kind: "folder", path };
}

/** The source without its ref, as it is recorded; {@link parseSource} reads it. */
export function sourceText(source: PluginSource): string {
  if (source.kind === "npm") return `npm:${source.name}`;
  if (source.kind === "folder") return source.path;
  return source.url.startsWith("git://") ? source.url : `git:${source.url}`;
}

export function refOf(source: PluginSource): string | null {
  if (source.kind === "npm") return source.version;
  return source.kind === "git" ? source.ref : null;
}

/** The source for people: without a user name and password that an address may hold. */
export function shownSource(source: string): string {
  return source.replace(/^((?:git:)?[a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, "$1");
}
