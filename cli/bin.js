#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can parse: the version is checked before anything newer is loaded.
// In the repository the program is ../cli/main.ts, in the published package dist/cli/main.cjs.

const OLDEST = [24, 15];

if (isTooOld(process.versions.node)) {
  // The sentence of HERMES_NODE_TOO_OLD in core/errors.ts, which an old Node cannot load (a test compares them).
  process.stderr.write(`hermes needs Node.js ${OLDEST.join(".")} or newer; this is ${process.version}.\n`);
  process.exitCode = 2;
} else {
  void start();
}

function isTooOld(version) {
  const [major, minor] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

async function start() {
  // Taken without `import`, which would read every export of node:fs and load all streams.
  const [fs, module, os, path] = ["fs", "module", "os", "path"].map((name) => process.getBuiltinModule(`node:${name}`));
  // A folder of this user's own: the default one lies in the shared temporary folder. Where it cannot be
  // written, Node silently continues without it.
  if (process.env.NODE_COMPILE_CACHE === undefined) {
    const cache = process.env.XDG_CACHE_HOME || path.join(process.env.HOME || os.homedir(), ".cache");
    module.enableCompileCache(path.join(cache, "hermes-hooks"));
  }
  const source = new URL("./main.ts", import.meta.url);
  // The bundle is CommonJS and taken with `require`: an `import` of it would first search all of it for exports.
  const { main } = fs.existsSync(source)
    ? await import(source.href)
    : module.createRequire(import.meta.url)("../dist/cli/main.cjs");
  await main(process.argv.slice(2));
}
