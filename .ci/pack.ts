/**
 * Builds dist/ for `npm pack`: JavaScript (Node does not strip types inside node_modules) and the declarations that
 * plugin authors import. Our modules and the small packages that every start needs are bundled into one file, because
 * start-up time depends mostly on the number of files.
 */
import { build, type BuildOptions, type Plugin } from "esbuild";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { englishOnly, zodAsFile, zodFromFile } from "./zod-file.ts";

interface Manifest {
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const ROOMS = "{core,allowlist,sandbox,plugins,agent,gateway,daemon,dashboard,cli}";

/** Packages in the bundle. All others stay dependencies of the installed package. */
const BUNDLED = ["commander", "fastest-levenshtein", "yaml"];

/** Files that are started or imported by path. Everything else is part of the program. */
/** What authors import. */
const exported = ["plugins/api.ts", "sandbox/handler.ts", "cli/testing/test-host.ts"];
const entries = [...exported, ...globSync(`${ROOMS}/**/*{worker,entry,guest}.ts`, { cwd: root }).toSorted()];

/**
 * The commands that scripts run all the time. With the start of the program they are dist/cli/main.cjs, a tenth of the
 * size of dist/cli/rest.cjs, which has everything else: reading the whole program took longer than a short command.
 */
const FREQUENT = [
  "cli/main.ts",
  "cli/version.ts",
  "cli/commands/hooks.ts",
  "cli/commands/hooks/list.ts",
  "cli/commands/hooks/last-runs.ts",
  "core/home/config-issues.ts",
  "cli/commands/send.ts",
];

/** Configurations in unusual forms load yaml; as one module instead of seventy it saves 3 ms. */
const yamlAsOneModule = join(dist, "yaml.mjs");

rmSync(dist, { recursive: true, force: true });
await build({
  // The browser build of yaml is the same code as ES modules; the Node build is CommonJS.
  entryPoints: [join(dirname(require.resolve("yaml/package.json")), "browser/index.js")],
  outfile: yamlAsOneModule,
  bundle: true,
  format: "esm",
  logLevel: "warning",
});
await bundleProgram();
await bundle(zodAsFile(root, join(dist, "cli/zod.cjs")), "cli", "cjs", englishOnly());
for (const entry of entries) {
  await bundle({ entryPoints: [entry], outbase: root, outExtension: { ".js": ".js" } }, dirname(entry), "esm");
}
rmSync(yamlAsOneModule);
writeFileSync(join(dist, "package.json"), `${JSON.stringify({ type: "module", imports: distImports() }, null, 2)}\n`);
writeFileSync(join(dist, "LICENSES.md"), licenses());
execFileSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json")],
  {
    cwd: root,
    stdio: "inherit",
  },
);
removeDeclarationsBut(exported.map((file) => file.replace(/\.ts$/, ".d.ts")));
// Files that are copied unchanged: the Python bridge, the dashboard's page.
const unchanged = ["**/*.py", "dashboard/page/**/*.{html,css,js,svg}"];
for (const file of globSync(unchanged, { cwd: root, exclude: ["node_modules/**", "test/**", "dist/**"] })) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  writeFileSync(join(dist, file), readFileSync(join(root, file)));
}

/**
 * The program as two CommonJS files, each with a table of its modules by which the other finds them. CommonJS starts
 * fastest: a module that is imported later also loads its packages later. An ES module loads all of them at start, and
 * many small files take 0.7 ms each.
 */
async function bundleProgram(): Promise<void> {
  const start = await modulesOf(FREQUENT);
  const wanted = new Set<string>();
  const other = (file: string, target: string) => {
    if (target === "rest") wanted.add(file);
    return {
      contents: `module.exports = require("./${target}.cjs").modules[${JSON.stringify(file)}];`,
      loader: "js",
    } as const;
  };
  const isStart = (file: string) => start.has(file);
  await bundle(
    program("main", [...start], 'export { main } from "./cli/main.ts";'),
    "cli",
    "cjs",
    zodFromFile(),
    moved(
      (file, kind) => kind === "dynamic-import" && !isStart(file),
      (file) => other(file, "rest"),
    ),
  );
  await bundle(
    program("rest", [...wanted]),
    "cli",
    "cjs",
    zodFromFile(),
    moved(isStart, (file) => other(file, "main")),
  );
  for (const name of ["main", "rest"]) assertAscii(join(dist, `cli/${name}.cjs`));
}

/**
 * V8 keeps a text with a single other character at two bytes each, 1.6 MB more for the program. The bundler escapes them
 * in strings, but not in patterns.
 */
function assertAscii(file: string): void {
  const [found] = /.{0,40}\P{ASCII}.{0,20}/u.exec(readFileSync(file, "utf8")) ?? [];
  if (found !== undefined)
    throw new Error(`${file} has a character that is not ASCII; write it as a Unicode escape: ${found}`);
}

/** Our modules that these ones load at once: directly or through others, but not with `import()`. */
async function modulesOf(files: readonly string[]): Promise<ReadonlySet<string>> {
  const later: Plugin = {
    name: "later",
    setup(esbuild) {
      esbuild.onResolve({ filter: /./ }, ({ path, kind }) =>
        kind === "dynamic-import" ? { path, external: true } : null,
      );
    },
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...files],
    outdir: dist,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    metafile: true,
    write: false,
    plugins: [later],
  });
  return new Set(Object.keys(metafile.inputs));
}

/** A file of the program with a table of modules, each loaded when it is first asked for. */
function program(name: string, modules: readonly string[], more = ""): BuildOptions {
  const path = (file: string) => JSON.stringify(file.endsWith(".ts") ? `./${file}` : file);
  const table = modules.map((file) => `get ${JSON.stringify(file)}() { return require(${path(file)}); },`);
  const contents = `${more}\nexport const modules = {\n${table.join("\n")}\n};\n`;
  return { stdin: { contents, resolveDir: root, loader: "js" }, outfile: join(dist, `cli/${name}.cjs`) };
}

/** Takes modules that are in the other file from there. Packages are named as they are imported. */
function moved(
  isMoved: (file: string, kind: string) => boolean,
  load: (file: string) => { readonly contents: string; readonly loader: "js" },
): Plugin {
  const namespace = "moved";
  return {
    name: namespace,
    setup(esbuild) {
      esbuild.onResolve({ filter: /^\.\/(?:main|rest)\.cjs$/, namespace }, ({ path }) => ({ path, external: true }));
      esbuild.onResolve({ filter: /./, namespace: "file" }, ({ path, importer, kind }) => {
        const file = ourFile(path, importer);
        const isOurs = file.endsWith(".ts") || BUNDLED.includes(file);
        return isOurs && importer.endsWith(".ts") && isMoved(file, kind) ? { path: file, namespace } : undefined;
      });
      esbuild.onLoad({ filter: /./, namespace }, ({ path }) => load(path));
    },
  };
}

/** The path in the repository of what one of our modules imports; a package stays as it is. */
function ourFile(path: string, importer: string): string {
  if (path.startsWith("#"))
    return (manifest.imports[path.replace(/\/.*/, "/*")] ?? "").slice(2).replace("*", path.replace(/^[^/]*\//, ""));
  return path.startsWith(".") ? relative(root, resolve(dirname(importer), path)) : path;
}

/** Bundles into one file; `folder` is where in dist/ it is. */
async function bundle(
  options: BuildOptions,
  folder: string,
  format: "cjs" | "esm",
  ...plugins: Plugin[]
): Promise<void> {
  await build({
    absWorkingDir: root,
    ...(options.outfile === undefined ? { outdir: dist } : {}),
    bundle: true,
    format,
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    alias: { yaml: yamlAsOneModule },
    external: Object.keys(manifest.dependencies).filter((name) => !BUNDLED.includes(name)),
    plugins: [...plugins, keepPlaces(folder, format), loadWhenCalled(["node:child_process", "node:crypto"])],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
}

/** Gives `import.meta` of each of our files the value it would have as a separate file in dist/. */
function keepPlaces(folder: string, format: "cjs" | "esm"): Plugin {
  const here = format === "cjs" ? 'require("node:url").pathToFileURL(__filename)' : "import.meta.url";
  return {
    name: "keep-places",
    setup(esbuild) {
      esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const file = relative(root, path).replace(/\.ts$/, ".js");
        const place = `new URL("${relative(folder, file)}", ${here})`;
        const contents = readFileSync(path, "utf8")
          .replaceAll(/\bimport\.meta\.url\b/g, `${place}.href`)
          .replaceAll(/\bimport\.meta\.filename\b/g, `decodeURIComponent(${place}.pathname)`)
          .replaceAll(/\bimport\.meta\.dirname\b/g, `decodeURIComponent(new URL(".", ${place}).pathname)`);
        return { contents, loader: "ts" };
      });
    },
  };
}

/**
 * Node's built-in modules that take 4 to 6 ms to load and that few starts need: their functions load them on the first
 * call. This works for functions only; importing anything else fails the build.
 */
function loadWhenCalled(modules: readonly string[]): Plugin {
  return {
    name: "load-when-called",
    setup(esbuild) {
      const namespace = "load-when-called";
      esbuild.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
        kind === "import-statement" && modules.includes(path) ? { path, namespace } : undefined,
      );
      esbuild.onLoad({ filter: /./, namespace }, ({ path }) => {
        const functions = Object.entries(require(path) as Record<string, unknown>)
          .filter(([name, value]) => typeof value === "function" && /^[a-z]\w*$/.test(name))
          .map(([name]) => name);
        const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
        const named = functions.map((name) => `export const ${name} = (...args) => ${load}.${name}(...args);`);
        return { contents: [...named, `export default { ${functions.join(", ")} };`].join("\n"), loader: "js" };
      });
    },
  };
}

function distImports(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest.imports).map(([name, target]) => [name, target.replace(/\.ts$/, ".js")]),
  );
}

/** Keeps the declarations that these ones import, directly or through others: types of ours that no author sees go. */
function removeDeclarationsBut(wanted: readonly string[]): void {
  const kept = new Set<string>();
  const open = [...wanted];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (kept.has(file)) continue;
    kept.add(file);
    const text = readFileSync(join(dist, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import\()\s*"(#[^"]+|\.{1,2}\/[^"]+)"/g)) {
      const room = /^#(\w+)\//.exec(path)?.[1];
      const target = room === undefined ? join(dirname(file), path) : path.slice(1);
      open.push(target.replace(/(?:\.[jt]s)?$/, ".d.ts"));
    }
  }
  for (const file of globSync("**/*.d.ts", { cwd: dist })) if (!kept.has(file)) rmSync(join(dist, file));
}

/** The licences of the bundled packages, which must be included. */
function licenses(): string {
  const texts = [...BUNDLED, "zod"].map((name) => {
    const [file = ""] = globSync(`node_modules/${name}/LICEN[CS]E*`, { cwd: root });
    return `## ${name}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
  });
  return `# Licences of the packages bundled here\n\n${texts.join("\n")}`;
}
