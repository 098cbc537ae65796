/** What a handler in an isolate may import: files of its own folder. Everything else is refused by name. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { symlinkSync, writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { Isolates } from "../helpers/isolates.ts";

const HANDLE = `export const handle = () => ({ message: "loaded" });`;

/** The problem that a handler with this source cannot be loaded for. */
async function problemOf(context: TestContext, code: string | Record<string, string>): Promise<string> {
  const hook = new Isolates(context).open("hook", code);
  const { code: error, message } = await hook.fails();
  assert.equal(error, "HERMES_HANDLER_UNUSABLE", message);
  return message.replace(/^gateway hook "hook" cannot be used: .*?\/hook\//, "");
}

test("modules of the folder, TypeScript, JavaScript and JSON, also those that import each other", async (context) => {
  const hook = new Isolates(context).open("many", {
    "handler.ts": `
      import type { Shape } from "./types-only.ts";
      import { add, type Sum } from "./lib/add.mts";
      import settings from "./lib/settings.json" with { type: "json" };
      import * as plain from "./lib/plain.js?query#hash";
      import { isEven } from "./lib/even.ts";
      import { named } from "./lib/with%20space.mjs";
      const base: Sum = await Promise.resolve(add(1, 2));
      await new Promise((wake) => setTimeout(wake, 5));
      export async function handle(event: string, context: Shape) {
        return { message: [base, settings.list, plain.name, isEven(10), named, import.meta.url ?? null] };
      }`,
    "lib/add.mts": `export type Sum = number; export const add = (a: number, b: number): Sum => a + b;`,
    "lib/settings.json": `{"list": [1, "\\u2028"], "__proto__": {"a": 1}}`,
    "lib/plain.js": `export const name = "plain";`,
    "lib/even.ts": `import { isOdd } from "./odd.ts"; export const isEven = (n: number): boolean => n === 0 || isOdd(n - 1);`,
    "lib/odd.ts": `import { isEven } from "../lib/even.ts"; export const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1);`,
    "lib/with space.mjs": `export { name as named } from "./plain.js";`,
  });
  assert.deepEqual((await hook.run())?.message, [3, [1, "\u2028"], "plain", true, "plain", null]);
});

test("loading the module has time of its own", async (context) => {
  const code = `await new Promise((wake) => setTimeout(wake, 1500));\n${HANDLE}`;
  const hook = new Isolates(context).open("slow", code, { timeoutSeconds: 1 });
  assert.equal((await hook.run())?.message, "loaded");
});

const REFUSED = `which is not allowed: a handler in an isolate can only import files of its own folder, by paths that start with "./" or "../"`;
test("imports from outside the folder are refused by name", async (context) => {
  const isolates = new Isolates(context);
  for (const specifier of [
    "node:fs",
    "fs",
    "isolated-vm",
    "/etc/passwd",
    "file:///etc/passwd",
    "https://example.com/x.js",
    "#core/home/paths",
    "hermes:guest",
    "hermes:handler",
    "",
  ]) {
    const said = JSON.stringify(specifier);
    const { message } = await isolates.open("hook", `import ${said}; ${HANDLE}`).fails();
    assert.ok(message.endsWith(`/handler.ts: it imports ${said}, ${REFUSED}`), message);
  }
});

test("files outside of the folder are refused, by whatever way", async (context) => {
  const isolates = new Isolates(context);
  isolates.open("other", { "handler.ts": HANDLE, "secret.json": `{"secret": 1}` });
  const ways = {
    "../other/secret.json": `"../other/secret.json"`,
    "./../other/secret.json": `"./../other/secret.json"`,
    "./%2e%2e/other/secret.json": `"./%2e%2e/other/secret.json"`,
    "./x/../../other/secret.json": `"./x/../../other/secret.json"`,
  };
  for (const [specifier, shown] of Object.entries(ways)) {
    const hook = isolates.open("hook", `import "${specifier}"; ${HANDLE}`);
    assert.ok((await hook.fails()).message.endsWith(`it imports ${shown}, ${REFUSED}`), specifier);
  }
  const slashes = isolates.open("hook", `import "./..%2fother/secret.json"; ${HANDLE}`);
  assert.match((await slashes.fails()).message, /which is not a valid path/);
});

test("a link out of the folder is refused, one within is not", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("hook", {
    "handler.ts": `import "./out.json"; ${HANDLE}`,
    "good.ts": `import "./lib/in.ts"; ${HANDLE}`,
    "real.ts": `export const a = 1;`,
    "lib/other.ts": "",
  });
  const outside = join(isolates.folder("other"), "out.json");
  isolates.open("other", { "handler.ts": HANDLE, "out.json": "{}" });
  const folder = isolates.folder("hook");
  symlinkSync(outside, join(folder, "out.json"));
  symlinkSync("../real.ts", join(folder, "lib/in.ts"));
  assert.ok((await hook.fails()).message.endsWith(`it imports "./out.json", ${REFUSED}`));
  assert.equal((await isolates.openFile(join(folder, "good.ts")).run())?.message, "loaded");
});

test("an invalid module is refused with the reason", async (context) => {
  const isolates = new Isolates(context);
  isolates.open("hook", { "handler.ts": HANDLE, "large.js": "x".repeat(600_000), "text.txt": "", "folder.ts/x": "" });
  const folder = isolates.folder("hook");
  writeFileSync(join(folder, "latin.js"), Buffer.from([0xe4, 0xf6]));
  spawnSync("mkfifo", [join(folder, "pipe.js")]);
  const expected: Readonly<Record<string, RegExp>> = {
    "./gone.ts": /it imports "\.\/gone\.ts", but there is no such file/,
    "./large": /it imports "\.\/large", which does not end in \.ts, \.mts, \.js, \.mjs, \.json$/,
    "./text.txt": /does not end in \.ts/,
    "./folder.ts": /it is a directory$/,
    "./pipe.js": /it is not a regular file$/,
    "./large.js": /it is larger than 512 KiB$/,
    "./latin.js": /cannot be read: .*not valid/,
  };
  for (const [specifier, problem] of Object.entries(expected)) {
    const hook = isolates.open("hook", `import "${specifier}"; ${HANDLE}`);
    assert.match((await hook.fails()).message, problem);
  }
});

test("modules are bounded in number and size", async (context) => {
  const chain = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`m${index}.js`, `import "./m${index + 1}.js";`]),
  );
  assert.match(
    await problemOf(context, { "handler.ts": `import "./m0.js"; ${HANDLE}`, ...chain }),
    /more than 100 modules$/,
  );
  const large = Object.fromEntries(
    Array.from({ length: 5 }, (_, index) => [`l${index}.js`, `//${"x".repeat(500_000)}`]),
  );
  const imports = Object.keys(large).map((file) => `import "./${file}";`);
  assert.match(
    await problemOf(context, { "handler.ts": `${imports.join(" ")} ${HANDLE}`, ...large }),
    /more than 2097152 bytes in total$/,
  );
});

test("errors name file, line and column", async (context) => {
  assert.equal(
    await problemOf(context, {
      "handler.js": "",
      "handler.ts": `import "./lib/bad.js";\n${HANDLE}`,
      "lib/bad.js": "let a;\nlet a;",
    }),
    "lib/bad.js: SyntaxError: Identifier 'a' has already been declared (lib/bad.js:2:5)",
  );
  assert.match(
    await problemOf(context, `let x;\nenum A { B }\n${HANDLE}`),
    /^handler\.ts: .*enum is not supported.* \(handler\.ts:2\); types are stripped/,
  );
  assert.match(
    await problemOf(context, { "handler.ts": `import { nope } from "./m.ts";\n${HANDLE}`, "m.ts": "" }),
    /does not provide an export named 'nope'/,
  );
  assert.equal(
    await problemOf(context, `${HANDLE}\nawait Promise.reject(new TypeError("late"));`),
    "handler.ts: TypeError: late (handler.ts:2:22)",
  );
  assert.equal(
    await problemOf(context, {
      "handler.ts": `import "./lib/deep.ts"; ${HANDLE}`,
      "lib/deep.ts": `function f(): never {\n  throw new RangeError("deep");\n}\nf();`,
    }),
    "handler.ts: RangeError: deep (lib/deep.ts:2:9)",
  );
  assert.equal(
    await problemOf(context, `export class Handler {}`),
    'handler.ts: it does not export a function "handle"',
  );
});

test("a handler that is mended is used at its next event", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("hook", `export const handle = (`);
  assert.equal((await hook.fails()).code, "HERMES_HANDLER_UNUSABLE");
  writeFileSync(join(isolates.folder("hook"), "handler.ts"), HANDLE);
  assert.equal((await hook.run())?.message, "loaded");
});
