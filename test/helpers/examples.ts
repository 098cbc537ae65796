/** The examples of the documentation: fenced blocks that carry a name, so that tests can run what people will copy. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ROOT, type Ended } from "./hermes.ts";

/** The blocks of a page (a path from the repository's root) behind `<!-- example: NAME -->`, by name, in their order. */
export function examplesOf(page: string, language: string): ReadonlyMap<string, string> {
  const named = new RegExp(`<!-- example: ([\\w-]+) -->\\s+\`\`\`${language}\\n([^]*?)\`\`\``, "g");
  return new Map([...readPage(page).matchAll(named)].map((match) => [match[1]!, match[2]!]));
}

/** How many blocks of the language the page has, named or not. */
export function countBlocks(page: string, language: string): number {
  return readPage(page).match(new RegExp(`^\`\`\`${language}$`, "gm"))?.length ?? 0;
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** A new user's account: an empty `$HOME`, nothing of hermes in the environment, `hermes` and `npx hermes` on the path. */
export class Newcomer {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(t: Pick<TestContext, "after">) {
    const root = mkdtempSync(join(tmpdir(), "hermes-newcomer-"));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    this.home = join(root, "home");
    const bin = join(root, "bin");
    for (const folder of [this.home, bin]) mkdirSync(folder);
    const start = `exec '${process.execPath}' '${join(ROOT, "cli/bin.js")}' "$@"`;
    writeProgram(join(bin, "hermes"), start);
    writeProgram(join(bin, "npx"), `[ "$1" = hermes ] || { echo "npx $1?" >&2; exit 127; }\nshift\n${start}`);
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(HERMES|OPENAI|ANTHROPIC|OPENROUTER|XDG)_/.test(name),
    );
    this.#env = {
      ...Object.fromEntries(kept),
      HOME: this.home,
      PATH: `${bin}:${process.env["PATH"]}`,
      NO_COLOR: "1",
      // The repository's own cache, so that starts are quick.
      XDG_CACHE_HOME: join(ROOT, "node_modules/.cache"),
    };
  }

  /** Runs a block as it stands, in bash; the first command that fails ends it. */
  run(block: string, options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
    const child = spawn("bash", ["-e", "-c", block], {
      cwd: options.cwd ?? this.home,
      env: { ...this.#env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  }
}

function writeProgram(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}
