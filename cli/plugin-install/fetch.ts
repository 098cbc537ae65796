/** Brings a plugin's files into an empty folder. No script of the plugin or of its packages is run. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { visible } from "#allowlist/visible";
import { HermesError, problemOf } from "#core/errors";
import { isMapping } from "#core/mapping";
import { truncate } from "#core/truncate";
import { runProcess } from "#sandbox/process/run";
import { refOf, shownSource, sourceText, type PluginSource } from "./source.ts";

export interface FetchOptions {
  /** Empty, and removed by the caller. */
  readonly scratch: string;
  /** Where the files go; it does not exist yet. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 10 * 60_000;
const MOST_OUTPUT = 256 * 1024;
const LONGEST_PROBLEM = 500;
const COMMIT = /^[0-9a-f]{7,64}$/i;
/** Variables that point git at the repository that hermes was started from, as in a hook of git. */
const GIT_PLACES = ["DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "NAMESPACE", "PREFIX"];

/**
 * Fetches the source with its packages. Returns what came, as {@link InstalledPlugin.resolved} has it. Throws
 * HERMES_PLUGIN_INSTALL, and HERMES_INTERRUPTED when the signal aborts.
 */
export async function fetchPlugin(source: PluginSource, options: FetchOptions): Promise<string | null> {
  const run = (argv: readonly [string, ...string[]], cwd: string) => runTool(argv, cwd, source, options);
  try {
    const resolved =
      source.kind === "npm"
        ? await fetchPackage(source, run, options)
        : source.kind === "git"
          ? await fetchRepository(source, run, options)
          : copyFolder(source.path, options.folder);
    await fetchPackages(run, options);
    return resolved;
  } catch (error) {
    if (error instanceof HermesError) throw error;
    throw new HermesError(
      "HERMES_PLUGIN_INSTALL",
      { source: shownSource(sourceText(source)), problem: problemOf(error) },
      { cause: error },
    );
  }
}

/** Runs a tool to its good end and gives its output. */
type RunTool = (argv: readonly [string, ...string[]], cwd: string) => Promise<string>;

async function fetchPackage(
  source: Extract<PluginSource, { kind: "npm" }>,
  run: RunTool,
  { scratch, folder }: FetchOptions,
): Promise<string> {
  // A project of its own, so that npm does not look for one above.
  writeFileSync(join(scratch, "package.json"), '{"private":true}\n');
  const spec = `${source.name}@${refOf(source) ?? "latest"}`;
  await run(["npm", "pack", spec, "--ignore-scripts", "--loglevel=error", "--pack-destination", scratch], scratch);
  const [tarball] = globSync("*.tgz", { cwd: scratch });
  if (tarball === undefined) throw new Error("npm brought no package.");
  mkdirSync(folder);
  await run(["tar", "-xzf", join(scratch, tarball), "-C", folder, "--strip-components=1"], scratch);
  const integrity = createHash("sha512")
    .update(readFileSync(join(scratch, tarball)))
    .digest("base64");
  return `${String(manifestOf(folder)["version"])} sha512-${integrity}`;
}

async function fetchRepository(
  { url, ref }: Extract<PluginSource, { kind: "git" }>,
  run: RunTool,
  { folder }: FetchOptions,
): Promise<string> {
  mkdirSync(folder);
  const git = (...words: readonly string[]) =>
    run(["git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", ...words], folder);
  await git("init", "--quiet", "--template=");
  let wanted = "FETCH_HEAD";
  try {
    await git("fetch", "--quiet", "--depth", "1", "--no-tags", "--", url, ref ?? "HEAD");
  } catch (error) {
    // Some servers give a commit only with its branch, and none finds a shortened one.
    if (ref === null || !COMMIT.test(ref) || (error as HermesError).code === "HERMES_INTERRUPTED") throw error;
    await git("fetch", "--quiet", "--", url, "+refs/heads/*:refs/fetched/*", "+refs/tags/*:refs/tags/*");
    wanted = ref;
  }
  await git("checkout", "--quiet", "--detach", wanted);
  const commit = (await git("rev-parse", "HEAD")).trim();
  rmSync(join(folder, ".git"), { recursive: true, force: true });
  return commit;
}

function copyFolder(from: string, folder: string): null {
  cpSync(from, folder, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === from || basename(path) !== ".git",
  });
  return null;
}

/** The packages that package.json names, unless they came along. Those of development and peers are not needed. */
async function fetchPackages(run: RunTool, { scratch, folder }: FetchOptions): Promise<void> {
  const { dependencies, optionalDependencies } = manifestOf(folder);
  const needed = { ...namesIn(dependencies), ...namesIn(optionalDependencies) };
  // Hermes gives plugins its own module.
  delete needed["hermes-hooks"];
  if (Object.keys(needed).length === 0 || existsSync(join(folder, "node_modules"))) return;
  const project = join(scratch, "packages");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, dependencies: needed }));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--no-package-lock"];
  await run(["npm", "install", "--ignore-scripts", "--omit=dev", "--legacy-peer-deps", ...quiet], project);
  renameSync(join(project, "node_modules"), join(folder, "node_modules"));
}

function namesIn(section: unknown): Record<string, unknown> {
  return isMapping(section) ? { ...section } : {};
}

/** The folder's package.json; empty without one. */
function manifestOf(folder: string): Readonly<Record<string, unknown>> {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return {};
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  return isMapping(manifest) ? manifest : {};
}

async function runTool(
  argv: readonly [string, ...string[]],
  cwd: string,
  source: PluginSource,
  { env, signal }: FetchOptions,
): Promise<string> {
  const own = new Set(GIT_PLACES.map((name) => `GIT_${name}`));
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !own.has(name)));
  const result = await runProcess({
    argv,
    cwd,
    env: { ...clean, GIT_TERMINAL_PROMPT: "0" },
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MOST_OUTPUT,
    overflow: "truncate",
    signal,
    leftovers: "kill",
  });
  if (result.ended === "interrupted") throw new HermesError("HERMES_INTERRUPTED", {});
  if (result.exit_code === 0) return result.stdout;
  const said = result.start_problem ?? (result.stderr.trim() || result.stdout.trim());
  const why = said === "" ? `it ended with ${result.exit_code ?? result.signal ?? result.ended}` : said;
  // Tools repeat the address that they were given.
  const problem = truncate(visible(shownAddresses(why).replaceAll(/\s*\n\s*/g, "; ")), LONGEST_PROBLEM);
  throw new HermesError("HERMES_PLUGIN_INSTALL", {
    source: shownSource(sourceText(source)),
    problem: `${argv[0]}: ${problem}`,
  });
}

/** Without user names and passwords. */
function shownAddresses(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/gi, "$1");
}
