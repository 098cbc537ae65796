/** Plugins and gateway hooks are found by one search: the same faults of a folder are told in the same words. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { discoverGatewayHooks } from "#gateway/hooks/discover";
import { DEFAULT_SETTINGS } from "#gateway/hooks/settings";
import { discoverPlugins } from "#plugins/discover";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

/** What is found in a folder: by directory the name of a usable extension, or the problem of one that is not. */
interface Found {
  readonly names: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

interface Kind {
  readonly noun: string;
  readonly manifest: string;
  readonly entry: string;
  /** A key that a manifest without keys is told to have. */
  readonly example: string;
  /** `holders` are the folders of running extensions by name. */
  find(parent: string, holders?: ReadonlyMap<string, string>): Promise<Found>;
}

const PLUGINS: Kind = {
  noun: "plugins",
  manifest: "plugin.yaml",
  entry: "index.ts",
  example: "name: my-plugin",
  async find(parent, holders = new Map()) {
    const { plugins, warnings } = await discoverPlugins(
      parent,
      { enabled: foldersOf(parent), disabled: [] },
      { holders },
    );
    const own = plugins.filter(({ builtin }) => builtin === undefined);
    return {
      names: byDirectory(own.filter(({ state }) => state === "enabled").map((one) => [one.directory, one.name])),
      problems: byDirectory(own.map((one) => [one.directory, one.error])),
      warnings,
    };
  },
};

const GATEWAY_HOOKS: Kind = {
  noun: "gateway hooks",
  manifest: "HOOK.yaml",
  entry: "handler.ts",
  example: "events:",
  async find(parent, holders = new Map()) {
    const { hooks, warnings } = await discoverGatewayHooks(parent, { settings: DEFAULT_SETTINGS, holders });
    return {
      names: byDirectory(hooks.map((one) => [one.directory, one.kind === "hook" ? one.hook.name : undefined])),
      problems: byDirectory(hooks.map((one) => [one.directory, one.kind === "hook" ? undefined : one.reason])),
      warnings,
    };
  },
};

/** What the configuration may enable. */
function foldersOf(parent: string): readonly string[] {
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
  const entries = readdirSync(parent, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && /^[a-z]/.test(entry.name) && entry.name !== "node_modules")
    .map(({ name }) => name);
}

function byDirectory(pairs: readonly (readonly [string, string | undefined])[]): Record<string, string> {
  return Object.fromEntries(pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** Makes the same folders for a kind: keys that end in `MANIFEST` and `ENTRY` get its names of files. */
function makeFolders(t: TestContext, kind: Kind, files: Readonly<Record<string, string>>): string {
  const parent = join(temporaryFolder(t), kind === PLUGINS ? "plugins" : "hooks");
  mkdirSync(parent);
  for (const [name, text] of Object.entries(files)) {
    const file = join(parent, name.replace("MANIFEST", kind.manifest).replace("ENTRY", kind.entry));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return parent;
}

/** What was found, with the kind's own words replaced. */
async function findNeutrally(kind: Kind, parent: string): Promise<Found> {
  const text = JSON.stringify(await kind.find(parent))
    .replaceAll(parent, "PARENT")
    .replaceAll(/\b(plugins|hooks)\/(?=[a-z])/g, "PARENT/")
    .replaceAll(kind.manifest, "MANIFEST")
    .replaceAll(kind.manifest.replace(".yaml", ".yml"), "MANIFEST-YML")
    .replaceAll(kind.entry, "ENTRY")
    .replaceAll(kind.example, "EXAMPLE");
  return JSON.parse(text) as Found;
}

/** A manifest that is valid for both kinds. */
const good = (name: string) => `name: ${name}\nevents: [agent:end]\n`;
const folder = (directory: string, manifest: string) => ({
  [`${directory}/MANIFEST`]: manifest,
  [`${directory}/ENTRY`]: "export {};",
});

test("the same folders give the same names, problems and lines for plugins and gateway hooks", async (t) => {
  const files = {
    ...folder("good", good("of its own")),
    ...folder("a-first", good("shared")),
    ...folder("b-second", good("shared")),
    ...folder("number", good("7")),
    ...folder("bad-yaml", "name: x\nevents: [\n"),
    ...folder("bad-tab", "name: x\nevents:\n\t- agent:end\n"),
    ...folder("bad-type", `events: [agent:end]\nname: x\ndescription: [1]\n`),
    ...folder("no-mapping", "just words"),
    ...folder("too-big", `${good("x")}#${"x".repeat(256 * 1024)}\n`),
    "no-manifest/ENTRY": "",
    ".hidden/MANIFEST": good("hidden"),
    "node_modules/MANIFEST": good("packages"),
    "__pycache__/MANIFEST": good("cache"),
    "a-file.txt": "",
  };
  const [plugins, hooks] = await Promise.all(
    [PLUGINS, GATEWAY_HOOKS].map(async (kind) => {
      const parent = makeFolders(t, kind, files);
      mkdirSync(join(parent, "folder-manifest", kind.manifest), { recursive: true });
      mkdirSync(join(parent, "folder-entry", kind.entry), { recursive: true });
      writeFileSync(join(parent, "folder-entry", kind.manifest), good("folder-entry"));
      mkdirSync(join(parent, "short-ending"));
      writeFileSync(join(parent, "short-ending", kind.manifest.replace(".yaml", ".yml")), good("x"));
      symlinkSync(join(parent, "a-file.txt"), join(parent, "link-to-file"));
      symlinkSync(join(parent, "nowhere"), join(parent, "link-to-nowhere"));
      return findNeutrally(kind, parent);
    }),
  );
  assert.deepEqual(plugins, hooks);
  assert.deepEqual(plugins?.names, { good: "of its own", "a-first": "shared", number: "7" });
  assert.deepEqual(plugins?.warnings, []);
  const { problems } = plugins;
  assert.match(
    problems["b-second"]!,
    /^PARENT\/b-second\/MANIFEST: the name "shared" is already used by PARENT\/a-first/,
  );
  assert.match(problems["bad-yaml"]!, /^PARENT\/bad-yaml\/MANIFEST:\d: not valid YAML: /);
  assert.match(problems["bad-tab"]!, /MANIFEST:3: not valid YAML: .*indent with spaces, not tabs/);
  assert.match(problems["bad-type"]!, /MANIFEST:3: description is \[1\]; expected a string/);
  assert.match(problems["no-manifest"]!, /PARENT\/no-manifest has no MANIFEST\./);
  assert.match(problems["short-ending"]!, /has no MANIFEST\. Rename MANIFEST-YML to MANIFEST\./);
  assert.match(problems["folder-manifest"]!, /MANIFEST/);
  assert.match(problems["link-to-nowhere"]!, /is a broken symbolic link/);
  assert.deepEqual(
    Object.keys(problems).filter((name) => name.startsWith("link-to-f") || name.startsWith(".") || name.includes("_")),
    [],
  );
});

test("a running extension keeps its name, also while it is broken, but not once it has another one", async (t) => {
  for (const kind of [PLUGINS, GATEWAY_HOOKS]) {
    const holders = new Map([
      ["plain", "plain"],
      ["broken", "z-broken"],
      ["left", "z-renamed"],
      ["gone", "z-gone"],
    ]);
    const parent = makeFolders(t, kind, {
      ...folder("a-plain", good("plain")),
      ...folder("plain", good("plain")),
      ...folder("a-broken", good("broken")),
      ...folder("z-broken", "events: [\n"),
      ...folder("a-left", good("left")),
      ...folder("z-renamed", good("renamed")),
      ...folder("a-gone", good("gone")),
    });
    const { names, problems } = await kind.find(parent, holders);
    assert.deepEqual(names, { plain: "plain", "a-left": "left", "z-renamed": "renamed", "a-gone": "gone" }, kind.noun);
    assert.match(problems["a-plain"]!, /the name "plain" is already used by \w+\/plain/);
    assert.match(problems["a-broken"]!, /the name "broken" is already used by \w+\/z-broken/);
  }
});

test("a parent that is not there is nothing, one that is a file is a warning", async (t) => {
  for (const kind of [PLUGINS, GATEWAY_HOOKS]) {
    const parent = makeFolders(t, kind, { "file.txt": "" });
    const missing = await kind.find(join(parent, "missing"));
    assert.deepEqual([missing.names, missing.warnings], [{}, []], kind.noun);
    const { warnings } = await kind.find(join(parent, "file.txt"));
    assert.match(warnings.join("\n"), new RegExp(`file\\.txt cannot be read, so there are no ${kind.noun}: `));
  }
});
