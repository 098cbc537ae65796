/** The short name of a hook: of a command, the script that it runs. */
import { visible } from "#allowlist/visible";
import { truncate } from "#core/truncate";

/** Programs whose first argument is what matters. */
const INTERPRETERS = /^(?:ba|da|z|k)?sh$|^env$|^node$|^deno$|^bun$|^(?:python|ruby|perl|php)[\d.]*$|^uv$|^npx$/;
const LONGEST = 60;

/**
 * `guard.sh` for `~/.hermes/agent-hooks/guard.sh --strict` and for `bash ~/guard.sh`. A name without a path, and inline
 * code (`sh -c …`), stay as they are, but short and without hidden characters.
 */
export function shortHookName(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words.find((word) => !INTERPRETERS.test(fileOf(word))) ?? "-";
  const isScript = !first.startsWith("-") && (first.includes("/") || first !== words[0]);
  return visible(truncate(isScript ? fileOf(first) : name, LONGEST));
}

/** The sentence of a failure begins with the kind and the name of the hook, which the line already has. */
export function withoutName(detail: string, name: string): string {
  const [first = "", ...rest] = detail.split(`hook "${name}" `);
  return rest.length > 0 && /^\w* ?$/.test(first) ? rest.join(`hook "${name}" `) : detail;
}

function fileOf(path: string): string {
  return path.replaceAll(/["']/g, "").split("/").at(-1)!;
}
