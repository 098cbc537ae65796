import assert from "node:assert/strict";
import test from "node:test";
import { bubblewrapArguments } from "#sandbox/wall/bubblewrap";
import { planWall, type WallPlaces } from "#sandbox/wall/plan";
import { seatbeltProfile } from "#sandbox/wall/seatbelt";

const places: WallPlaces = {
  home: "/home/me/.hermes",
  readable: ["/home/me/.hermes/config.yaml", "/home/me/.hermes/hooks"],
  linked: ["/home/me/dotfiles/guard.sh"],
  workspace: "/home/me/project",
  needed: ["/tmp/run/guard.sh", "/home/me/project"],
  secrets: [{ path: "/home/me/.ssh", folder: true }],
  temporary: ["/tmp"],
  write: [],
  hide: [],
  mayWrite: (folder) => folder.startsWith("/home/me"),
};

/** Pairs of an option and its path, in their order. */
function mountsOf(args: readonly string[]): readonly string[] {
  return args.flatMap((word, index) =>
    /^--(?:dev-bind|bind|ro-bind|ro-bind-try|tmpfs|remount-ro)$/.test(word)
      ? [`${word.slice(2)} ${args[index + (word.includes("bind") ? 2 : 1)]}`]
      : [],
  );
}

const argumentsFor = (profile: Parameters<typeof planWall>[0], changes: Partial<WallPlaces> = {}, root = false) =>
  bubblewrapArguments({ plan: planWall(profile, { ...places, ...changes }), cwd: "/home/me/project", root });

test("guard leaves everything as it is but the home, what its links lead to and the folders above them", () => {
  assert.deepEqual(mountsOf(argumentsFor("guard")), [
    "dev-bind /",
    "dev-bind /home/me/dotfiles",
    "ro-bind-try /home/me/dotfiles/guard.sh",
    "tmpfs /home/me/.hermes",
    "ro-bind-try /home/me/.hermes/config.yaml",
    "ro-bind-try /home/me/.hermes/hooks",
    "remount-ro /home/me/.hermes",
  ]);
});

test("every folder above the home that could be renamed is a separate mount", () => {
  const mounts = mountsOf(argumentsFor("guard", { mayWrite: () => true, linked: [] }));
  assert.deepEqual(mounts.slice(0, 3), ["dev-bind /", "dev-bind /home", "dev-bind /home/me"]);
});

test("strict profiles write to a private /tmp only, and the home comes last", () => {
  const args = argumentsFor("read-only");
  assert.equal(mountsOf(args)[0], "ro-bind /");
  assert.ok(args.includes("--unshare-net") && args.includes("--unshare-ipc"));
  assert.ok(!mountsOf(args).some((mount) => mount.startsWith("bind ")));
  assert.ok(mountsOf(args).includes("tmpfs /home/me/.ssh"));
  assert.equal(mountsOf(args).at(-1), "remount-ro /home/me/.hermes");
});

test("a script in a folder for temporary files can be read behind a private one", () => {
  const mounts = mountsOf(argumentsFor("read-only"));
  assert.ok(mounts.indexOf("ro-bind-try /tmp/run/guard.sh") > mounts.indexOf("tmpfs /tmp"));
});

test("workspace opens the working directory, write opens its paths, neither opens the home", () => {
  assert.ok(mountsOf(argumentsFor("workspace")).includes("bind /home/me/project"));
  const custom = mountsOf(argumentsFor({ write: ["/home/me"] }, { write: ["/home/me"], linked: [] }));
  assert.ok(custom.indexOf("bind /home/me") < custom.indexOf("tmpfs /home/me/.hermes"));
  assert.ok(argumentsFor({ network: "full" }).every((word) => word !== "--unshare-net"));
});

test("root has no way to mount, to trace or to reach raw disks and the kernel's switches", () => {
  const args = argumentsFor("guard", {}, true);
  assert.equal(args[args.indexOf("--cap-drop") + 1], "ALL");
  assert.ok(!args.some((word) => /CAP_SYS_|CAP_MKNOD|CAP_DAC_READ/.test(word)));
  assert.ok(args.includes("--dev") && mountsOf(args).includes("ro-bind-try /proc/sys"));
  assert.ok(!argumentsFor("read-only", {}, true).includes("--cap-add"));
});

test("every profile ends with hermes and keeps other processes out of sight", () => {
  for (const profile of ["guard", "read-only", "workspace", {}] as const) {
    const args = argumentsFor(profile);
    for (const option of ["--unshare-pid", "--proc", "--die-with-parent", "--new-session"]) {
      assert.ok(args.includes(option), `${JSON.stringify(profile)} has ${option}`);
    }
  }
});

test("the profile for macOS denies writes below the home and reads of what is hidden", () => {
  const plan = planWall("guard", places);
  const text = seatbeltProfile({ plan, home: places.home, readable: places.readable, temporary: "/private/tmp" });
  const rules = text.split("\n");
  assert.ok(rules.includes('(deny file-write* (subpath "/home/me/.hermes"))'));
  assert.ok(rules.includes('(deny file-write* (subpath "/home/me/dotfiles/guard.sh"))'));
  // The last rule that matches decides: what may be read comes after the denial.
  const denied = rules.indexOf('(deny file-read* (subpath "/home/me/.hermes"))');
  const shown = rules.findIndex((rule) => rule.startsWith("(allow file-read* ") && rule.includes("config.yaml"));
  assert.ok(denied >= 0 && shown > denied);
  assert.ok(rules.some((rule) => rule.startsWith("(deny file-write-unlink") && rule.includes('(literal "/home/me")')));
  assert.ok(!text.includes("(deny file-write*)"));
});

test("the profile for macOS of a strict profile denies writes and the network", () => {
  const plan = planWall("read-only", places);
  const text = seatbeltProfile({ plan, home: places.home, readable: [], temporary: "/private/tmp" });
  assert.match(text, /^\(deny file-write\*\)$/m);
  assert.match(text, /^\(deny network\*\)$/m);
  assert.match(text, /^\(allow file-write\* \(subpath "\/private\/tmp"\)/m);
});

test("a path with quotes stays one string of the macOS profile", () => {
  const home = '/home/me/a"b\\c';
  const plan = planWall("guard", { ...places, home });
  const text = seatbeltProfile({ plan, home, readable: [], temporary: "/tmp" });
  assert.ok(text.includes('(subpath "/home/me/a\\"b\\\\c")'));
});
