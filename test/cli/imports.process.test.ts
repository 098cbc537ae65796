/** Commands that only look load nothing that only a turn needs (docs/architecture.md, "Start-up time"). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Home } from "../helpers/hermes.ts";

/** Packages that take long to load. */
const HEAVY = "ajv ajv-formats ai commander fastify grammy isolated-vm piscina undici yaml zod".split(" ");

/** Modules of Node that take 2 to 10 ms to load. */
const HEAVY_OF_NODE = "child_process crypto http net perf_hooks process stream tty worker_threads".split(" ");

/** Notes in a file what is loaded. */
const NOTES_LOADS = `data:text/javascript,${encodeURIComponent(`
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADS_FILE, url + "\\n");
    return next(url, context);
  },
});`)}`;

test("hooks list loads no heavy package, a turn loads what checks a tool's arguments", async (t) => {
  const home = new Home(t);
  home.write(
    "config.yaml",
    "hooks: { pre_tool_call: [{ command: ./guard.sh, matcher: terminal }] }\nplugins: { enabled: [tools] }\n",
  );
  home.write("plugins/tools/plugin.yaml", "name: tools\nprovides_tools: [double]\nprovides_hooks: [post_tool_call]\n");
  home.write("plugins/tools/index.mjs", "export function register() {}\n");
  const loadedBy = async (...args: string[]) => {
    const file = join(home.path, `${args[0]!}.loads`);
    const { code, stderr } = await home.run(args, {
      env: { NODE_OPTIONS: `--import ${NOTES_LOADS}`, LOADS_FILE: file },
    });
    assert.equal(code, 0, stderr);
    const urls = readFileSync(file, "utf8");
    assert.match(urls, /\/cli\/main\.ts/);
    const builtIn = HEAVY_OF_NODE.map((name) => `node:${name}`).filter((url) => urls.split("\n").includes(url));
    return [...HEAVY.filter((name) => urls.includes(`/node_modules/${name}/`)), ...builtIn];
  };
  assert.deepEqual(await loadedBy("hooks", "list"), []);
  assert.deepEqual(
    (await loadedBy("chat", "-q", "run `echo hello`")).filter((name) => name.startsWith("ajv")),
    ["ajv", "ajv-formats"],
  );
});
