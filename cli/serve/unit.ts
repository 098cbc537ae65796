/** The unit of systemd that runs `hermes serve`. docs/service.md explains each line. */
import { HermesError } from "#core/errors";

export interface UnitOptions {
  /** Node and the entry file, as absolute paths. */
  readonly node: string;
  readonly bin: string;
  /** The folder of the program, which the service must be able to read. */
  readonly program: string;
  /** The home of hermes. */
  readonly home: string;
  readonly user: string;
  /** The user's own home directory, where tasks work; undefined for a user without one. */
  readonly userHome: string | undefined;
  /** Arguments of `hermes serve`. */
  readonly args: readonly string[];
}

/** Folders that the service sees empty, except for what the unit names. */
const PRIVATE = ["/home", "/root", "/run/user"];

/** The text of the unit. Throws HERMES_USAGE for a path that no unit can name. */
export function unitText(options: UnitOptions): string {
  const { node, bin, home, user, args } = options;
  const hermes = [node, bin, "--home", home];
  const { bound, readable, writable } = placesOf(options);
  const line = (key: string, paths: readonly string[]) =>
    paths.length === 0 ? [] : [`${key}=${paths.map(quote).join(" ")}`];
  return `${[
    "# Runs hermes as a service. docs/service.md explains each line.",
    "[Unit]",
    "Description=Hermes Agent",
    "After=network-online.target",
    "Wants=network-online.target",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=all",
    `User=${user}`,
    "WorkingDirectory=-~",
    `ExecStart=${commandLine([...hermes, "serve", ...args])}`,
    `ExecReload=${commandLine([...hermes, "hooks", "reload"])}`,
    "Restart=always",
    "RestartSec=10",
    "RestartPreventExitStatus=2",
    "WatchdogSec=60",
    "TimeoutStartSec=120",
    "TimeoutStopSec=90",
    "KillMode=mixed",
    "",
    `ProtectHome=${bound.length + readable.length > 0 ? "tmpfs" : "yes"}`,
    ...line("BindPaths", bound),
    ...line("BindReadOnlyPaths", readable),
    ...line("ReadWritePaths", writable),
    ...HARDENING,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n")}\n`;
}

/** No line here may keep bubblewrap from working, which puts the agent's commands into a sandbox. */
const HARDENING = [
  "ProtectSystem=strict",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "PrivateMounts=yes",
  "PrivateUsers=yes",
  "ProtectProc=invisible",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelModules=yes",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "LockPersonality=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictNamespaces=user mnt pid net ipc",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  // Unicast addresses only.
  "IPAddressDeny=any",
  "IPAddressAllow=0.0.0.0/1 128.0.0.0/2 192.0.0.0/3",
  "IPAddressAllow=::/1 8000::/2 c000::/3 e000::/4 f000::/5 f800::/6 fc00::/7 fe00::/8",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service @mount",
  "SystemCallFilter=~@resources",
  "SystemCallErrorNumber=EPERM",
  "RemoveIPC=yes",
  "UMask=0077",
];

/** What the service may see of the private folders, and may write. */
function placesOf({ node, program, home, userHome }: UnitOptions) {
  const isOwn = userHome !== undefined && userHome !== "/";
  const places = isOwn ? [userHome, ...(isInside(home, [userHome]) ? [] : [home])] : [home];
  const bound = places.filter((path) => isInside(path, PRIVATE));
  return {
    bound,
    readable: [node, program].filter((path) => isInside(path, PRIVATE) && !isInside(path, bound)),
    writable: places.filter((path) => !bound.includes(path)),
  };
}

function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** The words of a command, quoted for systemd; nothing in them is expanded. */
function commandLine(words: readonly string[]): string {
  const quoted = words.map(quote);
  // The colon turns off the expansion of variables.
  return (words.some((word) => word.includes("$")) ? ":" : "") + quoted.join(" ");
}

function quote(word: string): string {
  if (/\p{Cc}/u.test(word)) {
    throw new HermesError("HERMES_USAGE", {
      problem: `A unit cannot name ${JSON.stringify(word)}, which has control characters.`,
    });
  }
  const escaped = word.replaceAll("%", "%%");
  return /^[\w@%+:,./~=-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, String.raw`\$&`)}"`;
}
