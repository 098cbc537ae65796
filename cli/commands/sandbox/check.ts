/** `hermes sandbox check`: which profiles can be used on this machine, and why not. */
import { EXIT } from "#core/errors";
import { userHome } from "#core/home/paths";
import { WALL_PROFILES } from "#core/ports/wall";
import { createWall } from "#sandbox/wall/wall";
import { findWallSupport } from "#sandbox/wall/backend";
import type { CliContext } from "../../context.ts";

interface SandboxReport {
  readonly available: boolean;
  readonly backend: string | null;
  /** Why it is not available, else null. */
  readonly reason: string | null;
  /** The profiles that can be used. */
  readonly profiles: readonly string[];
}

/** Tries every profile with a command that does nothing. */
async function reportSandbox(home: string, env: NodeJS.ProcessEnv): Promise<SandboxReport> {
  const { backend, reason } = await findWallSupport(env);
  if (backend === null) return { available: false, backend: null, reason, profiles: ["off"] };
  const profiles: string[] = [];
  let problem: string | null = null;
  for (const profile of WALL_PROFILES) {
    const wall = createWall({ profile, home, workspace: process.cwd(), userHome: userHome(env), env });
    const enclosed = await wall.enclose({ argv: ["/bin/sh", "-c", ":"], cwd: process.cwd() });
    if (profile === "off" || (enclosed !== null && !("problem" in enclosed))) profiles.push(profile);
    else if (enclosed !== null) problem ??= enclosed.problem;
  }
  const available = profiles.includes("guard");
  return { available, backend: backend.name, reason: available ? null : problem, profiles };
}

export async function checkSandbox(json: boolean, home: string, context: CliContext): Promise<void> {
  const report = await reportSandbox(home, context.env);
  if (json) context.json(report);
  else if (report.available) {
    context.out(`The sandbox works, with ${report.backend}. Profiles: ${report.profiles.join(", ")}.`);
  } else context.out(`No sandbox is available: ${report.reason}.`);
  if (!report.available) context.exit(EXIT.failed);
}
