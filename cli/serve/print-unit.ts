/** `hermes serve --print-unit`: writes nothing but the unit, and changes nothing. */
import { existsSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Command } from "#cli/command-line/command";
import { execaSync } from "execa";
import { HermesError } from "#core/errors";
import type { CliContext } from "../context.ts";
import { unitText } from "./unit.ts";

/** The options of `hermes serve --print-unit`. */
export interface UnitFlags {
  readonly user?: string;
  /** Passed on to the service. */
  readonly insecure?: true;
}

/** What systemd and useradd(8) accept, without a `$` at the end. */
const USER_NAME = /^[a-z_][a-z0-9_.-]{0,30}$/i;
/** The service never runs as root unless that is asked for. */
const DEFAULT_USER = "hermes";

/** Throws HERMES_USAGE for a name that is no user's. */
export function printUnit(flags: UnitFlags, command: Command, context: CliContext): void {
  const { username: self } = userInfo();
  const user = flags.user ?? (self === "root" ? DEFAULT_USER : self);
  if (!USER_NAME.test(user)) {
    throw new HermesError("HERMES_USAGE", { problem: `--user takes the name of a user, not ${JSON.stringify(user)}.` });
  }
  const found = homeOf(user);
  const userHome = found ?? `/home/${user}`;
  if (found === undefined) {
    context.note(`There is no user "${user}" on this machine. Create it with: useradd --create-home ${user}`);
  }
  const isNamed = context.globals(command).home !== undefined || Boolean(context.env["HERMES_HOME"]);
  const home = isNamed || user === self ? context.paths(command).home : join(userHome, ".hermes");
  const bin = realpathSync(process.argv[1]!);
  const text = unitText({
    node: realpathSync(process.execPath),
    bin,
    program: programFolder(dirname(bin)),
    home,
    user,
    // Users of programs may have one that does not exist.
    userHome: found === undefined || existsSync(found) ? userHome : undefined,
    args: flags.insecure ? ["--insecure"] : [],
  });
  context.write(text);
}

/** The home directory of a user; undefined when there is no such user. */
function homeOf(user: string): string | undefined {
  const { stdout } = execaSync("getent", ["passwd", "--", user], { reject: false });
  const [name, , , , , home] = (stdout ?? "").split(":");
  return name === user && home ? resolve(home) : undefined;
}

/** The folder with the program and its packages: that of `node_modules` where it is installed, else the repository. */
function programFolder(folder: string): string {
  const installed = folder.indexOf("/node_modules/");
  if (installed !== -1) return folder.slice(0, installed);
  const parent = dirname(folder);
  return existsSync(join(folder, "package.json")) || parent === folder ? folder : programFolder(parent);
}
