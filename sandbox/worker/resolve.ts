/** The resolve hook in a handler's thread: a file whose format would depend on a package.json is an ES module. */
import type { registerHooks, ResolveFnOutput } from "node:module";
import { pathToFileURL } from "node:url";

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>;

/** Applies to files below `folder`, except packages. */
export function resolveIn(folder: string): Resolve {
  const prefix = `${pathToFileURL(folder).href}/`;
  return (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.startsWith(prefix) || resolved.url.includes("/node_modules/")) return resolved;
    return { ...resolved, format: formatOf(resolved.url, resolved.format) };
  };
}

function formatOf(url: string, found: ResolveFnOutput["format"]): ResolveFnOutput["format"] {
  if (url.endsWith(".ts")) return found ?? "module-typescript";
  return url.endsWith(".js") ? (found ?? "module") : found;
}
