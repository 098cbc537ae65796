/** The published package, installed as a user would: it runs from any folder, and plugins find its types. */
import test, { after, before, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";
import { fieldsOf, payloadSchema } from "#core/event-reference";
import { declarationOf, EVENT_NAMES } from "#core/events";
import { noOldNode, oldPath } from "../helpers/old-node.ts";
import { repositoryRoot } from "./repository.ts";

/** What npm says when there is no registry to ask. */
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;

let folder: string;
let installed: string;
let home: string;
/** What npm said about the installation. */
let printed: string;
/** Why the package could not be installed, when that is the network's fault. */
let unreachable: string | undefined;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "hermes-pack-"));
  installed = join(folder, "installed");
  home = join(folder, "home");
  mkdirSync(join(installed, "node_modules"), { recursive: true });
  succeed(npm(repositoryRoot, ["pack", "--pack-destination", folder]));
  const [tarball = ""] = globSync("*.tgz", { cwd: folder });
  const quick = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const install = npm(folder, ["install", "--global", "--prefix", installed, ...quick, join(folder, tarball)]);
  printed = `${install.stdout}\n${install.stderr}`;
  writeFileSync(join(installed, "package.json"), '{"private":true,"type":"module"}\n');
  // The project of a plugin's author, who has the package among its dependencies.
  symlinkSync("../lib/node_modules/hermes-hooks", join(installed, "node_modules/hermes-hooks"));
  if (install.status !== 0 && UNREACHABLE.test(install.stderr)) unreachable = "the package registry cannot be reached";
  else succeed(install);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("the package contains compiled JavaScript, none of our TypeScript and no tests", (t) => {
  if (skipped(t)) return;
  const exclude = ["node_modules/**"];
  const files = globSync("**/*", { cwd: join(installed, "lib/node_modules/hermes-hooks"), exclude });
  assert.deepEqual(
    files.filter(
      (file) =>
        (file.endsWith(".ts") && !file.endsWith(".d.ts") && !file.startsWith("docs/examples/")) ||
        file.startsWith("test"),
    ),
    [],
  );
  assert.ok(files.includes("LICENSE") && files.includes("dist/plugins/api.d.ts"));
});

test(
  "with an old Node.js on the path, npm compiles nothing, and hermes runs from any folder",
  { skip: noOldNode },
  (t) => {
    if (skipped(t)) return;
    assert.doesNotMatch(printed, /gyp|engine|error/i);
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    const { stdout } = succeed(start(join(installed, "bin/hermes"), elsewhere, ["--version"], { PATH: oldPath }));
    assert.ok(stdout.includes(`node ${process.version}`), stdout);
  },
);

test("npm link in the clone makes a hermes for any folder, and npx one for the folders of the clone", (t) => {
  const linked = join(folder, "linked");
  const path = { PATH: oldPath, npm_config_prefix: linked };
  succeed(start("npm", repositoryRoot, ["link", "--no-audit", "--no-fund"], path));
  const version = succeed(start(join(linked, "bin/hermes"), folder, ["--version"], path)).stdout;
  assert.ok(version.includes(`node ${process.version}`), version);
  assert.equal(succeed(start("npx", join(repositoryRoot, "docs"), ["hermes", "--version"], path)).stdout, version);
  if (skipped(t)) return;
  assert.equal(succeed(hermes(["--version"])).stdout, version);
});

test("hermes --version names the package's version, Node and the home", (t) => {
  if (skipped(t)) return;
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { version: string };
  const { stdout } = succeed(hermes(["--version"]));
  assert.ok(stdout.includes(version) && stdout.includes(process.version) && stdout.includes(home), stdout);
});

test("a chat in one shot runs a tool", (t) => {
  if (skipped(t)) return;
  assert.match(succeed(hermes(["chat", "-q", "run `echo pac''ked`"])).stdout, /packed/);
  const refused = succeed(hermes(["chat", "-q", '@terminal {"command": 7}', "--output-format", "stream-json"]));
  assert.match(refused.stdout, /"command\W+ must be a string, not 7/);
});

test("the dashboard serves its page, which is part of the package", async (t) => {
  if (skipped(t)) return;
  const bin = join(installed, "bin/hermes");
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(bin, ["dashboard", "--port", "0", "--json"], {
    cwd: installed,
    env: environment(),
    stdio: [...stdio],
  });
  t.after(() => child.kill("SIGKILL"));
  const [said] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  const { url } = JSON.parse(said) as { url: string };
  const page = await fetch(url);
  assert.equal(page.status, 200);
  const [, script = ""] = /<script type="module" src="([^"]+)"/.exec(await page.text()) ?? [];
  assert.equal((await fetch(new URL(script, url))).status, 200);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 0);
});

test("the gateway runs hooks in threads and in isolates, which are part of the package", async (t) => {
  if (skipped(t)) return;
  for (const isolation of ["worker", "isolate"]) {
    const hook = join(home, "hooks", isolation);
    mkdirSync(join(hook, "lib"), { recursive: true });
    writeFileSync(join(hook, "HOOK.yaml"), `events: ["command:${isolation}"]\nisolation: ${isolation}\n`);
    writeFileSync(join(hook, "handler.ts"), HANDLER);
    writeFileSync(join(hook, "lib/message.ts"), `export const message: string = "from the ${isolation}";\n`);
  }
  writeFileSync(join(home, "config.yaml"), "gateway: { platforms: { api_server: { enabled: true, port: 0 } } }\n");
  t.after(() => rmSync(join(home, "config.yaml")));
  const child = spawn(join(installed, "bin/hermes"), ["gateway"], {
    cwd: installed,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve) => {
    let text = "";
    const look = (part: string) => {
      text += part;
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.setEncoding("utf8").on("data", look);
    child.stderr.setEncoding("utf8").on("data", look);
  });
  for (const isolation of ["worker", "isolate"]) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: `/${isolation}` }] }),
    });
    assert.match(await response.text(), new RegExp(`from the ${isolation}`));
  }
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 0);
});

test("a search runs in its own process or thread, which is part of the package", (t) => {
  if (skipped(t)) return;
  writeFileSync(join(installed, "haystack.txt"), "one\nthe needle\n");
  assert.match(succeed(hermes(["chat", "-q", 'search "needle" in haystack.txt'])).stdout, /the needle/);
});

test("a plugin of the home imports hermes-hooks/plugin and blocks a tool", (t) => {
  if (skipped(t)) return;
  const plugin = join(home, "plugins/guard");
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, "plugin.yaml"), "name: guard\nversion: 1.0.0\n");
  writeFileSync(join(plugin, "index.ts"), GUARD);
  succeed(hermes(["plugins", "enable", "guard"]));
  const { stdout } = hermes(["chat", "-q", "run `echo for''bidden`"]);
  assert.match(stdout, /not today/);
  assert.doesNotMatch(stdout, /forbidden/);
});

test("the types of hermes-hooks/plugin are those of the repository: right code passes, wrong code does not", (t) => {
  if (skipped(t)) return;
  const options = { module: "nodenext", target: "es2024", strict: true, noEmit: true, types: [], skipLibCheck: false };
  const compilerOptions = { ...options, typeRoots: [], lib: ["es2024", "dom"] };
  writeFileSync(join(installed, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["guard.ts"] }));
  writeFileSync(join(installed, "guard.ts"), GUARD);
  const right = node(installed, [join(repositoryRoot, "node_modules/typescript/bin/tsc")]);
  assert.equal(right.status, 0, right.stdout);
  writeFileSync(join(installed, "guard.ts"), GUARD.replace("tool_name", "tool_nam"));
  const wrong = node(installed, [join(repositoryRoot, "node_modules/typescript/bin/tsc")]);
  assert.match(wrong.stdout, /tool_nam/);
});

test("the types of handlers and of tests: right code passes, wrong code does not; a plugin's test runs", (t) => {
  if (skipped(t)) return;
  const options = { module: "nodenext", target: "es2024", strict: true, noEmit: true, types: [], skipLibCheck: false };
  const compilerOptions = { ...options, typeRoots: [], lib: ["es2024", "dom"], allowImportingTsExtensions: true };
  const files = ["guard.ts", "guard-test.ts", "handler.ts"];
  const check = () => node(installed, [join(repositoryRoot, "node_modules/typescript/bin/tsc")]);
  writeFileSync(join(installed, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  writeFileSync(join(installed, "guard.ts"), GUARD);
  writeFileSync(join(installed, "guard-test.ts"), GUARD_TEST);
  writeFileSync(join(installed, "handler.ts"), TYPED_HANDLER);
  const right = check();
  assert.equal(right.status, 0, right.stdout);
  const ran = node(installed, ["guard-test.ts"]);
  assert.equal(ran.stdout, "block not today\n", ran.stderr);
  writeFileSync(join(installed, "guard-test.ts"), GUARD_TEST.replace("tool_name", "tool_nam"));
  writeFileSync(join(installed, "handler.ts"), TYPED_HANDLER.replace("context.args", "context.arg"));
  const wrong = check();
  assert.match(wrong.stdout, /guard-test\.ts.*tool_nam/);
  assert.match(wrong.stdout, /handler\.ts.*arg/);
});

test("editors show what every event and field is", (t) => {
  if (skipped(t)) return;
  const types = readFileSync(join(installed, "lib/node_modules/hermes-hooks/dist/core/event-payloads.d.ts"), "utf8");
  for (const name of EVENT_NAMES) {
    assert.ok(types.includes(declarationOf(name).sentence), name);
    for (const { key, sentence } of fieldsOf(payloadSchema(name, z), String)) {
      const [field = ""] = key.split(".").slice(-1);
      assert.ok(types.includes(`/** ${sentence} */`) && types.includes(` ${field}: `), `${name}.${key}`);
    }
  }
});

test("a plugin that the installed hermes scaffolds type-checks", (t) => {
  if (skipped(t)) return;
  succeed(hermes(["plugins", "new", "sprout"]));
  assert.ok(existsSync(join(home, "plugins/tsconfig.json")));
  const checked = node(home, [join(repositoryRoot, "node_modules/typescript/bin/tsc"), "-p", join(home, "plugins")]);
  assert.equal(checked.status, 0, checked.stdout);
});

const HANDLER = `
import { message } from "./lib/message.ts";
export function handle(event_type: string, context: { readonly command: string }) {
  return { decision: "handled", message };
}
`;

const GUARD_TEST = `import { createTestHost } from "hermes-hooks/testing";
import guard from "./guard.ts";

const host = await createTestHost({ plugins: [guard] });
const answer = await host.fire("pre_tool_call", { tool_name: "terminal", args: { command: "forbidden" } });
console.log(answer?.["action"], answer?.["message"]);
await host.close();
`;

const TYPED_HANDLER = `import type { CommandContext, Handler } from "hermes-hooks/handler";

export const handle: Handler<"command:usage", "kv"> = async (event_type, context: CommandContext, host) => {
  const turns = Number((await host.kv.get("turns")) ?? "0");
  host.log.info(event_type, context.user_id, host.fetch === undefined);
  return { decision: "handled", message: \`\${turns} turns, \${context.args}\` };
};
`;

const GUARD = `import { definePlugin } from "hermes-hooks/plugin";
export default definePlugin({
  hooks: {
    pre_tool_call: ({ tool_name, args }) =>
      tool_name === "terminal" && String(args["command"]).includes("bidden") ? { action: "block", message: "not today" } : undefined,
  },
});
`;

function skipped(t: TestContext): boolean {
  if (unreachable !== undefined) t.skip(unreachable);
  return unreachable !== undefined;
}

function succeed(run: SpawnSyncReturns<string>): SpawnSyncReturns<string> {
  assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
  return run;
}

function hermes(args: readonly string[]): SpawnSyncReturns<string> {
  return start(join(installed, "bin/hermes"), installed, args);
}

function npm(cwd: string, args: readonly string[]): SpawnSyncReturns<string> {
  return start("npm", cwd, args, { PATH: oldPath });
}

function node(cwd: string, args: readonly string[]): SpawnSyncReturns<string> {
  return start(process.execPath, cwd, args);
}

/** Runs a program with this Node first on the path, and the home of these tests. */
function start(
  program: string,
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): SpawnSyncReturns<string> {
  const options = { cwd, env: { ...environment(), ...env }, encoding: "utf8", input: "", timeout: 110_000 } as const;
  return spawnSync(program, [...args], options);
}

function environment(): NodeJS.ProcessEnv {
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  return { ...process.env, PATH: path, HERMES_HOME: home, NODE_TEST_CONTEXT: undefined };
}
