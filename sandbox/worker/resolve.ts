/**
 * The module hooks of a handler's thread. A file that its version keeps is loaded as it was kept; and a file whose format
 * would depend on a package.json is an ES module.
 */
import type { registerHooks, ResolveFnOutput } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { KeptSource, KeptSources } from "#core/extensions/sources";

type Hooks = Parameters<typeof registerHooks>[0];
type Format = ResolveFnOutput["format"];

const FORMATS: Readonly<Record<string, string>> = {
  ".ts": "module-typescript",
  ".mts": "module-typescript",
  ".cts": "commonjs-typescript",
  ".js": "module",
  ".mjs": "module",
  ".cjs": "commonjs",
  ".json": "json",
  ".wasm": "wasm",
};

/** Applies to files below `folder`, except packages. A kept file is found even if it is no longer on the disk. */
export function resolveIn(folder: string, sources: KeptSources): NonNullable<Hooks["resolve"]> {
  const prefix = `${pathToFileURL(folder).href}/`;
  return (specifier, context, nextResolve) => {
    const kept = keptAt(sources, specifier, context.parentURL);
    if (kept !== undefined) {
      const { url } = kept;
      return {
        url,
        format: formatOf(url, formatOnDisk(url)),
        importAttributes: context.importAttributes,
        shortCircuit: true,
      };
    }
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.startsWith(prefix) || resolved.url.includes("/node_modules/")) return resolved;
    return { ...resolved, format: formatOf(resolved.url, resolved.format) };

    function formatOnDisk(url: string): Format {
      try {
        return nextResolve(url, context).format;
      } catch {
        // The file is gone from the disk, or a package.json is broken: the extension decides.
        return undefined;
      }
    }
  };
}

/** Loads kept files without the disk. */
export function loadKept(sources: KeptSources): NonNullable<Hooks["load"]> {
  return (url, context, nextLoad) => {
    const kept = sourceAt(sources, url);
    if (kept === undefined) return nextLoad(url, context);
    const format = context.format ?? FORMATS[extname(kept.real)] ?? "module";
    return { format, source: kept.content, shortCircuit: true };
  };
}

/** The address of a kept file that is imported by a path; undefined for packages and files that are not kept. */
function keptAt(sources: KeptSources, specifier: string, parent: string | undefined): { url: string } | undefined {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return undefined;
  const asked = URL.parse(specifier, parent);
  if (asked === null) return undefined;
  const kept = sourceAt(sources, asked.href);
  return kept === undefined ? undefined : { url: `${pathToFileURL(kept.real).href}${asked.search}${asked.hash}` };
}

function sourceAt(sources: KeptSources, url: string): KeptSource | undefined {
  try {
    return sources.get(fileURLToPath(url));
  } catch {
    // Not the URL of a file.
    return undefined;
  }
}

function formatOf(url: string, found: Format): Format {
  const { pathname } = new URL(url);
  if (found !== undefined && found !== null) return found;
  return FORMATS[extname(pathname)];
}
