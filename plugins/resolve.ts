/**
 * The resolve hook for code below a plugin's folder. It makes `hermes-hooks/plugin` resolvable from anywhere, and adds
 * a version to every URL below the folder, so that a reload also reloads helpers.
 */
import { realpathSync } from "node:fs";
import { createRequire, registerHooks, type ResolveFnOutput } from "node:module";
import { extname, sep } from "node:path";
import { pathToFileURL } from "node:url";

const API = "hermes-hooks/plugin";
/** Next to this file: `.ts` in the repository, `.js` in the package. */
const API_URL = new URL(`./api${extname(import.meta.filename)}`, import.meta.url).href;
const VERSION = /\?hermes=(\d+)$/;

interface Root {
  version: number;
  /** JavaScript is read as TypeScript, whose parser reports the position of syntax errors. */
  strict: boolean;
}

const roots = new Map<string, Root>();
let latest = 0;

/**
 * The URL to import a plugin's entry from, with a new version. `strict` reads its JavaScript with the TypeScript parser,
 * which reports the line of a syntax error.
 */
export function versionedUrl(folder: string, entry: string, options: { strict?: boolean } = {}): string {
  if (latest === 0) registerHooks({ resolve });
  latest++;
  const real = realpathSync(folder);
  forgetRequired(real);
  roots.set(`${pathToFileURL(real).href}/`, { version: latest, strict: options.strict === true });
  return `${pathToFileURL(realpathSync(entry)).href}?hermes=${latest}`;
}

/** Node caches what `require` has read, including JSON, by file. Without the cache entry, the file is read again. */
function forgetRequired(folder: string): void {
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) {
    if (file.startsWith(`${folder}${sep}`) && !file.includes(`${sep}node_modules${sep}`)) delete cache[file];
  }
}

/** Error text for users: without versions, and with paths instead of file URLs. */
export function withoutVersions(text: string): string {
  if (!text.includes("?hermes=") && !text.includes("file:")) return text;
  return text.replaceAll(/\?hermes=\d+/g, "").replaceAll(/file:\/\/(\/[^\s:)'"]*)/g, (_, path: string) => decode(path));
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not percent-encoded: keep the path as it is.
    return path;
  }
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>;

const resolve: Resolve = (specifier, context, nextResolve) => {
  if (specifier === API) return nextResolve(API_URL, context);
  const resolved = nextResolve(specifier, context);
  if (!resolved.url.startsWith("file:") || resolved.url.includes("/node_modules/")) return resolved;
  for (const [prefix, root] of roots) {
    if (resolved.url.startsWith(prefix)) return below(prefix, root, resolved, context.parentURL);
  }
  return resolved;
};

function below(prefix: string, root: Root, resolved: ResolveFnOutput, parent: string | undefined): ResolveFnOutput {
  const inherited = parent?.startsWith(prefix) ? VERSION.exec(parent)?.[1] : undefined;
  const path = resolved.url.split("?", 1)[0]!;
  const format = formatOf(path, resolved.format, root.strict);
  // CommonJS is cached by file, not by URL, so a version would only confuse it.
  if (format?.startsWith("commonjs") || format === "wasm") return resolved;
  const url = VERSION.test(resolved.url) ? resolved.url : `${path}?hermes=${inherited ?? root.version}`;
  return { ...resolved, url, format };
}

/** A file whose format would depend on a package.json is an ES module; setting that also silences Node's warning. */
function formatOf(path: string, found: ResolveFnOutput["format"], strict: boolean): ResolveFnOutput["format"] {
  if (path.endsWith(".ts")) return found ?? "module-typescript";
  if (path.endsWith(".js") || path.endsWith(".mjs")) {
    const format = found ?? "module";
    return strict && format === "module" ? "module-typescript" : format;
  }
  return found;
}
