import assert from "node:assert/strict";
import { linkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { createSearchFiles } from "#agent/tools/search-files";
import { inGoodTime } from "../../helpers/good-time.ts";
import { makeToolbox } from "./toolbox.ts";

const box = makeToolbox();
box.write("src/a.ts", "const one = 1;\r\n// Needle here\n");
box.write("src/deep/b.ts", "needle\n");
box.write(".env", "needle-in-hidden\n");
box.write("node_modules/x/index.js", "needle\n");
box.write(".git/config", "needle\n");
box.write("bin.dat", Buffer.from("needle\0"));
symlinkSync("..", join(box.project, "src", "circle"));
symlinkSync(box.home, join(box.project, "home-link"));
linkSync(join(box.home, "config.yaml"), join(box.project, "hard-link.yaml"));
const search = (pattern: string, rest: Record<string, unknown> = {}, signal?: AbortSignal) =>
  box.call("search_files", { pattern, ...rest }, signal);

test("finds lines by expression, in the order of names", async () => {
  assert.deepEqual(await search("(?i)need+le"), {
    matches: [
      { path: ".env", line: 1, text: "needle-in-hidden" },
      { path: "src/a.ts", line: 2, text: "// Needle here" },
      { path: "src/deep/b.ts", line: 1, text: "needle" },
    ],
    truncated: false,
  });
  assert.partialDeepStrictEqual(await search("1;$", { path: "src/a.ts" }), {
    matches: [{ path: "src/a.ts", line: 1, text: "const one = 1;" }],
  });
  assert.deepEqual(await search("nowhere-to-be-found"), { matches: [], truncated: false });
});

test("finds files by glob", async () => {
  assert.deepEqual(await search("*.ts", { target: "files" }), {
    files: ["src/a.ts", "src/deep/b.ts"],
    truncated: false,
  });
  assert.deepEqual((await search("src/*.ts", { target: "files" }))["files"], ["src/a.ts"]);
  assert.deepEqual((await search("deep/**", { target: "files", path: "src" }))["files"], ["src/deep/b.ts"]);
});

test("guarded files are never shown, whatever the way to them", async () => {
  assert.deepEqual((await search("secret-of-config"))["matches"], []);
  assert.deepEqual((await search("secret-of-config", { path: "~" }))["matches"], []);
  assert.deepEqual((await search("secret-of-config", { path: "home-link" }))["matches"], []);
  assert.deepEqual((await search("config.yaml", { path: "home-link", target: "files" }))["files"], []);
  await assert.rejects(search("secret", { path: "~/.hermes/config.yaml" }), /off limits/);
  await assert.rejects(search("secret", { path: "home-link/hooks" }), /off limits/);
});

test("errors say what is wrong", async () => {
  await assert.rejects(search("(unclosed"), /"pattern": Invalid regular expression/);
  await assert.rejects(search("x", { path: "srcs" }), /srcs does not exist\. Did you mean "src"\?/);
  await assert.rejects(search("x", { target: "names" }), /"target" must be/);
  await assert.rejects(search(""), /must not be empty/);
});

test("long lines are shown around the match, many matches are cut", async () => {
  box.write("wide/wide.txt", `${"x".repeat(5000)}TARGET${"y".repeat(5000)}\n`);
  const [match] = (await search("TARGET", { path: "wide" }))["matches"] as { text: string }[];
  assert.match(match?.text ?? "", /^…x+TARGETy+…$/);
  assert.ok((match?.text.length ?? 0) < 510);
  box.write("many/many.txt", "hit\n".repeat(1000));
  const many = await search("hit", { path: "many" });
  assert.equal((many["matches"] as unknown[]).length, 200);
  assert.partialDeepStrictEqual(many, {
    truncated: true,
    note: "there are more matches; narrow the pattern or the path",
  });
  box.write("exact/exact.txt", "hit\n".repeat(200));
  assert.partialDeepStrictEqual(await search("hit", { path: "exact" }), { truncated: false });
});

interface Found {
  readonly matches: readonly unknown[];
  readonly note: unknown;
}

test("an expression that never comes to an end is stopped; what was found before is kept", async () => {
  box.write("slow/a.txt", "aab\n");
  box.write("slow/b.txt", `${"a".repeat(60)}c\n`);
  const circumstances = {
    tool_call_id: "c",
    session_id: "s",
    cwd: box.project,
    signal: new AbortController().signal,
    depth: 0,
  };
  const result = await inGoodTime(async (factor) => {
    const tool = createSearchFiles(box.deps, factor * 2000);
    const found = (await tool.execute({ pattern: "^(a+)+b$", path: "slow" }, circumstances)) as Found;
    return found.matches.length > 0 ? found : undefined;
  });
  assert.partialDeepStrictEqual(result, { matches: [{ path: "slow/a.txt", line: 1 }], truncated: true });
  assert.match(String(result.note), /stopped after \d+ s/);
});

test("an interrupt ends it", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 200);
  await assert.rejects(search("^(a+)+b$", { path: "slow" }, controller.signal), /interrupted/);
});
