/** Converts a plan to arguments of bubblewrap (Linux). */
import type { Mount, WallPlan } from "./plan.ts";

/**
 * The capabilities that root keeps in the `guard` profile: enough to install packages and to change owners. Without
 * CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_MKNOD, mounts cannot be removed or bypassed.
 */
const ROOT_CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_SETGID",
  "CAP_SETUID",
];

/** Root owns these: the kernel's switches would let it run a program outside, and raw disks hold the home, too. */
const ROOT_READ_ONLY = ["/proc/sys", "/proc/sysrq-trigger", "/sys"];

export interface BubblewrapOptions {
  readonly plan: WallPlan;
  /** The folder that the command starts in. */
  readonly cwd: string;
  readonly root: boolean;
}

/** The arguments that come before `--` and the command. */
export function bubblewrapArguments({ plan, cwd, root }: BubblewrapOptions): readonly string[] {
  const { open, network, mounts } = plan;
  return [
    ...(open ? ["--dev-bind", "/", "/"] : ["--ro-bind", "/", "/"]),
    ...(open && !root ? [] : ["--dev", "/dev"]),
    "--unshare-pid",
    "--proc",
    "/proc",
    ...(root ? ROOT_READ_ONLY.flatMap((path) => ["--ro-bind-try", path, path]) : []),
    ...(network ? [] : ["--unshare-net"]),
    ...(open ? [] : ["--unshare-ipc"]),
    // When bubblewrap's process ends, so does everything in it; signals reach the command through its own group.
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    ...(root && open ? ROOT_CAPABILITIES.flatMap((name) => ["--cap-add", name]) : []),
    ...mounts.flatMap((mount) => argumentsOf(mount, open)),
    "--chdir",
    cwd,
  ];
}

function argumentsOf(mount: Mount, open: boolean): readonly string[] {
  const { kind, path } = mount;
  switch (kind) {
    case "writable":
      return [open ? "--dev-bind" : "--bind", path, path];
    case "read-only":
      // A file that has disappeared since (such as a database's journal) needs no mount.
      return ["--ro-bind-try", path, path];
    case "empty":
      return ["--tmpfs", path];
    case "seal":
      return ["--remount-ro", path];
    case "hidden":
      return mount.folder ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
  }
}
