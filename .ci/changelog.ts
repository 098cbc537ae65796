/**
 * Moves the change notes of docs/changes/ into CHANGELOG.md: `node .ci/changelog.ts VERSION [YYYY-MM-DD]`.
 * The notes become a section below the "Unreleased" heading, and their files are removed.
 */
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export interface Fragment {
  /** The file's name, `<slug>.<added|changed|fixed>.md`. */
  readonly name: string;
  readonly text: string;
}

const KINDS = { added: "Added", changed: "Changed", fixed: "Fixed" } as const;
const UNRELEASED = "## Unreleased\n";

/** The kind of a change note by its file name; undefined if the name is invalid. */
export function kindOf(name: string): keyof typeof KINDS | undefined {
  const kind = /^[a-z0-9-]+\.(added|changed|fixed)\.md$/.exec(name)?.[1];
  return kind as keyof typeof KINDS | undefined;
}

/** The changelog with a section for these notes. Throws if a name is invalid or the heading is missing. */
export function foldFragments(changelog: string, fragments: readonly Fragment[], version: string, day: string): string {
  if (!changelog.includes(UNRELEASED)) throw new Error(`CHANGELOG.md has no "${UNRELEASED.trim()}" heading`);
  const stray = fragments.find(({ name }) => kindOf(name) === undefined);
  if (stray !== undefined) throw new Error(`${stray.name} is not named <slug>.<added|changed|fixed>.md`);
  const parts = Object.entries(KINDS).flatMap(([kind, title]) => {
    const entries = fragments.filter(({ name }) => kindOf(name) === kind).map(({ text }) => entryOf(text));
    return entries.length === 0 ? [] : [`### ${title}\n\n${entries.join("\n")}\n`];
  });
  return changelog.replace(UNRELEASED, () => `${UNRELEASED}\n## ${version} (${day})\n\n${parts.join("\n")}`);
}

function entryOf(text: string): string {
  return `- ${text.trim().split("\n").join("\n  ")}`;
}

function main(version: string | undefined, day = new Date().toISOString().slice(0, 10)): void {
  if (version === undefined) throw new Error("usage: node .ci/changelog.ts VERSION [YYYY-MM-DD]");
  const root = resolve(import.meta.dirname, "..");
  const files = globSync("docs/changes/*.md", { cwd: root, exclude: ["docs/changes/README.md"] }).toSorted();
  const fragments = files.map((file) => ({ name: basename(file), text: readFileSync(join(root, file), "utf8") }));
  const changelog = join(root, "CHANGELOG.md");
  writeFileSync(changelog, foldFragments(readFileSync(changelog, "utf8"), fragments, version, day));
  for (const file of files) rmSync(join(root, file));
}

if (import.meta.main) main(process.argv[2], process.argv[3]);
