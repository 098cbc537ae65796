#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can parse: the version is checked before anything newer is loaded.
// In the repository the program is ../cli/main.ts, in the published package dist/cli/main.cjs.

const OLDEST = [24, 15];

if (isTooOld(process.versions.node)) void startOnOwnNode();
else void start();

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

/** Runs the same command line on the Node that is installed with this package. */
async function startOnOwnNode() {
  const node = await findOwnNode();
  if (node === undefined) {
    // The sentence of HERMES_NODE_TOO_OLD in core/errors.ts, which an old Node cannot load (a test compares them).
    process.stderr.write(`hermes needs Node.js ${OLDEST.join(".")} or newer; this is ${process.version}.\n`);
    process.exitCode = 2;
    return;
  }
  const args = [...process.execArgv, ...process.argv.slice(1)];
  // Replaces this process, so that nothing has to be passed on.
  if (process.execve) process.execve(node, [node, ...args], process.env);
  const { spawn } = await import("node:child_process");
  const [fs, tty] = [await import("node:fs"), await import("node:tty")];
  passSignals(spawn(node, args, { stdio: "inherit" }), () => isInForeground(fs, tty));
}

/** The path of the dependency `node`; undefined if it is missing, or has no program because npm ran no install scripts. */
async function findOwnNode() {
  const { existsSync, readFileSync, statSync } = await import("node:fs");
  const { fileURLToPath } = await import("node:url");
  const root = new URL("../", import.meta.url);
  // Beside this package, or in it. Not in the folders above: what is there is somebody else's.
  const places = [new URL("node_modules/node/", root)];
  if (/\/node_modules\/[^/]+\/$/.test(root.pathname)) places.push(new URL("../node/", root));
  for (const place of places) {
    const program = new URL("bin/node", place);
    if (!existsSync(program)) continue;
    const { version } = JSON.parse(readFileSync(new URL("package.json", place), "utf8"));
    const { mode, size } = statSync(program);
    // Not a placeholder. A wrong version would start itself again and again.
    if ((mode & 0o111) === 0 || size < 1e6 || isTooOld(version)) continue;
    return fileURLToPath(program);
  }
  return undefined;
}

/** Makes this process look like the child: signals go to the child, and the end of the child ends both alike. */
function passSignals(child, hasTerminal) {
  const signals = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];
  const pass = (signal) => {
    // The child has a Ctrl+C of the terminal already.
    const typed = signal === "SIGINT" || signal === "SIGQUIT";
    if (!typed || !hasTerminal()) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, pass);
  child.on("error", (error) => {
    process.stderr.write(`hermes: ${child.spawnfile} cannot be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const each of signals) process.off(each, pass);
    process.kill(process.pid, signal);
  });
}

/** Whether the keys of a terminal send their signals to this process and its child. */
function isInForeground(fs, tty) {
  if (process.platform !== "linux") return [0, 1, 2].some((descriptor) => tty.isatty(descriptor));
  const stat = fs.readFileSync("/proc/self/stat", "latin1");
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return group === foreground;
}
