/** A gateway loads the code and the packages of the platforms that are on, and of no other. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import test from "node:test";
import { PLATFORM_NAMES } from "#gateway/adapters/table";
import { startGateway } from "../../helpers/gateway.ts";
import { Home, ROOT } from "../../helpers/hermes.ts";

const ADAPTERS = "gateway/adapters";
/** What the table of platforms needs of each. */
const ALWAYS = ["descriptor.ts", "settings.ts"];

/** Appends the address of each module to a file. */
const RECORDER = `import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED_MODULES, url + "\\n");
    return next(url, context);
  },
});
`;

const folderOf = (name: string) => `${ADAPTERS}/${name.replaceAll("_", "-")}`;

function filesOf(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: ROOT }).map((file) => file.split(sep).join("/"));
}

/** The packages that the files import, types apart. */
function packagesOf(files: readonly string[]): ReadonlySet<string> {
  const specifiers = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8").replaceAll(/^(?:import|export) type [^;]*;/gm, "");
    return [...text.matchAll(/(?:\bfrom |\bimport\()"([^"#.][^"]*)"/g)].map((match) => match[1]!);
  });
  const names = specifiers.map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0]);
  return new Set(names.filter((name) => !name.startsWith("node:")));
}

test("a gateway with api_server alone imports nothing of other platforms", async (t) => {
  const home = new Home(t);
  const loaded = join(home.work, "loaded.txt");
  const recorder = join(home.work, "recorder.mjs");
  writeFileSync(recorder, RECORDER);
  const gateway = await startGateway(t, home, {
    config: "gateway: { platforms: { api_server: { enabled: true, port: 0 } } }\n",
    env: { LOADED_MODULES: loaded, NODE_OPTIONS: `--import=${pathToFileURL(recorder).href}` },
  });
  assert.equal((await gateway.say("hello")).status, 200);
  const modules = readFileSync(loaded, "utf8").split("\n");
  const isLoaded = (part: string) => modules.some((url) => url.includes(part));
  assert.ok(isLoaded(`/${folderOf("api_server")}/adapter.ts`), "what is loaded is recorded");

  const others = PLATFORM_NAMES.filter((name) => name !== "api_server");
  const code = filesOf("{core,allowlist,sandbox,plugins,agent,gateway,daemon,dashboard,cli}/**/*.ts");
  for (const name of others) {
    const own = code.filter((file) => file.startsWith(`${folderOf(name)}/`));
    const wrong = own.filter((file) => !ALWAYS.some((each) => file.endsWith(`/${each}`)) && isLoaded(`/${file}`));
    assert.deepEqual(wrong, [], name);
  }
  const isOthers = (file: string) => others.some((name) => file.startsWith(`${folderOf(name)}/`));
  const elsewhere = packagesOf(code.filter((file) => !isOthers(file)));
  const packages = [...packagesOf(code.filter(isOthers))].filter((name) => !elsewhere.has(name));
  assert.ok(packages.length > 0);
  assert.deepEqual(
    packages.filter((name) => isLoaded(`/node_modules/${name}/`)),
    [],
  );
});
