/** DESIGN's import table, as the linter enforces it: one planted breach a rule fails, what is allowed passes. */
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import { repositoryRoot } from "./repository.ts";

interface Sample {
  /** The folder that the importing file stands in. */
  readonly folder: string;
  readonly imports: string;
  /** How it is imported; a static import of a value when absent. */
  readonly how?: "type" | "dynamic" | "re-export";
}

const BREACHES: readonly Sample[] = [
  { folder: "core", imports: "#allowlist/grant" },
  { folder: "core", imports: "#cli/main" },
  { folder: "core", imports: "node:child_process" },
  { folder: "core", imports: "fastify", how: "dynamic" },
  { folder: "core", imports: "../sandbox/process/run.ts" },
  { folder: "core", imports: "./../sandbox/process/run.ts" },
  { folder: "allowlist", imports: "#sandbox/process/run" },
  { folder: "allowlist", imports: "#plugins/api", how: "type" },
  { folder: "sandbox", imports: "#allowlist/store" },
  { folder: "sandbox/shell", imports: "#allowlist/decide", how: "type" },
  { folder: "sandbox/shell", imports: "#agent/runner", how: "dynamic" },
  { folder: "sandbox/shell", imports: "../process/run.ts" },
  { folder: "sandbox/process", imports: "#sandbox/shell/run" },
  { folder: "sandbox/process", imports: "#allowlist/grant" },
  { folder: "plugins", imports: "#allowlist/grant" },
  { folder: "plugins", imports: "#sandbox/worker/pool", how: "re-export" },
  { folder: "plugins", imports: "node:child_process" },
  { folder: "plugins/builtin", imports: "#core/events" },
  { folder: "plugins/builtin", imports: "#plugins/loader" },
  { folder: "plugins/builtin", imports: "../loader.ts" },
  { folder: "agent", imports: "#sandbox/shell/run" },
  { folder: "agent", imports: "#plugins/loader", how: "type" },
  { folder: "agent/tools", imports: "#sandbox/worker/pool", how: "dynamic" },
  { folder: "agent/tools", imports: "../sessions.ts" },
  { folder: "agent/tools", imports: "execa" },
  { folder: "daemon", imports: "#agent/runner" },
  { folder: "daemon", imports: "#sandbox/shell/run" },
  { folder: "gateway", imports: "#agent/runner" },
  { folder: "gateway", imports: "#sandbox/process/run" },
  { folder: "dashboard", imports: "#gateway/router" },
  { folder: "dashboard", imports: "#sandbox/process/run" },
  { folder: "cli", imports: "#test/helpers" },
  { folder: "cli/commands", imports: "../../bench/run.ts" },
  { folder: "cli", imports: "../core/events.ts" },
  { folder: "bench", imports: "#cli/main" },
  { folder: "bench/cases", imports: "../../core/events.ts" },
  { folder: "test/core", imports: "../../core/events.ts" },
  { folder: "test", imports: "../cli/main.ts" },
  ...["core", "allowlist", "sandbox", "sandbox/process", "plugins", "agent", "daemon", "gateway", "dashboard"].flatMap(
    (folder) => ["#cli/main", "#bench/run", "#test/helpers"].map((imports) => ({ folder, imports })),
  ),
];

const ALLOWED: readonly Sample[] = [
  { folder: "core", imports: "./events.ts" },
  { folder: "core", imports: "zod", how: "dynamic" },
  { folder: "allowlist", imports: "#core/events" },
  { folder: "sandbox", imports: "#core/events" },
  { folder: "sandbox/shell", imports: "#allowlist/grant" },
  { folder: "sandbox/shell", imports: "#sandbox/process/run" },
  { folder: "sandbox/process", imports: "#core/events" },
  { folder: "sandbox/process", imports: "node:child_process" },
  { folder: "plugins", imports: "#core/events" },
  { folder: "plugins/builtin", imports: "#plugins/api" },
  { folder: "plugins/builtin", imports: "hermes-hooks/plugin", how: "type" },
  { folder: "agent", imports: "#core/events" },
  { folder: "agent/tools", imports: "#sandbox/process/run" },
  { folder: "agent/tools", imports: "#agent/sessions" },
  { folder: "daemon", imports: "#sandbox/process/run", how: "type" },
  { folder: "gateway", imports: "#core/ports/agent", how: "type" },
  { folder: "dashboard", imports: "#core/ports/agent" },
  { folder: "cli", imports: "#allowlist/store" },
  { folder: "cli/commands", imports: "#sandbox/shell/run", how: "dynamic" },
  { folder: "cli/commands", imports: "../context.ts" },
  { folder: "bench", imports: "#core/dispatch" },
  { folder: "bench/cases", imports: "../measure.ts" },
  { folder: "test/core", imports: "#core/dispatch" },
  { folder: "test/core", imports: "../helpers/home.ts" },
  { folder: "test/bench", imports: "../../bench/growth/fit.ts" },
];

/** The rules broken in each planted file, by its path in the tree. */
const broken = new Map<string, Set<string>>();
let tree: string;

before(() => {
  tree = mkdtempSync(join(tmpdir(), "hermes-lint-"));
  copyFileSync(join(repositoryRoot, ".oxlintrc.json"), join(tree, ".oxlintrc.json"));
  for (const [index, sample] of [...BREACHES, ...ALLOWED].entries()) {
    const file = join(tree, fileOf(sample, index));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, sourceOf(sample));
  }
  for (const { filename, code } of lint()) {
    broken.set(filename, (broken.get(filename) ?? new Set()).add(code));
  }
});

after(() => rmSync(tree, { recursive: true, force: true }));

for (const [index, sample] of BREACHES.entries()) {
  test(`${sample.folder}/ must not import ${sample.imports}${how(sample)}`, () => {
    assert.ok(broken.get(fileOf(sample, index))?.has("eslint(no-restricted-imports)"), "the linter let it pass");
  });
}

for (const [index, sample] of ALLOWED.entries()) {
  test(`${sample.folder}/ may import ${sample.imports}${how(sample)}`, () => {
    const rules = broken.get(fileOf(sample, BREACHES.length + index));
    assert.ok(!rules?.has("eslint(no-restricted-imports)"), "the linter refused it");
  });
}

function how(sample: Sample): string {
  return sample.how === undefined ? "" : ` (${sample.how})`;
}

function fileOf(sample: Sample, index: number): string {
  return `${sample.folder}/planted-${index}.ts`;
}

function sourceOf({ imports, how: kind }: Sample): string {
  if (kind === "type") return `import type { Name } from "${imports}";\nexport type Mine = Name;\n`;
  if (kind === "dynamic") return `export const load = () => import("${imports}");\n`;
  if (kind === "re-export") return `export { name } from "${imports}";\n`;
  return `import { name } from "${imports}";\nexport const mine = name;\n`;
}

function lint(): { filename: string; code: string }[] {
  const oxlint = join(repositoryRoot, "node_modules/oxlint/bin/oxlint");
  const run = spawnSync(process.execPath, [oxlint, "--format=json", "--no-ignore"], {
    cwd: tree,
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  const report = JSON.parse(run.stdout) as { diagnostics: { filename: string; code: string }[] };
  return report.diagnostics;
}
