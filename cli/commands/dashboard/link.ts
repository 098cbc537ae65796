/** Prints the address of a dashboard and a sign-in link that works once. */
import type { Command } from "#cli/command-line/command";
import { readDiscovery, type DiscoveredDashboard } from "#core/forward/discovery";
import { HermesError, problemOf } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import type { CliContext } from "../../context.ts";
import { openBrowser } from "./browser.ts";
import type { DashboardFlags } from "./run.ts";

const ANSWER_MS = 5000;

/** `hermes dashboard --link`: asks the running dashboard. Throws HERMES_DASHBOARD_NOT_RUNNING. */
export async function printLink(flags: DashboardFlags, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  demandVisible(paths, "hermes dashboard --link");
  const file = paths.discovery;
  const { dashboard, problem } = readDiscovery(file, context);
  if (dashboard === null) {
    if (problem !== null) context.warn(problem);
    const why = problem === null ? "does not exist" : "is ignored";
    throw new HermesError("HERMES_DASHBOARD_NOT_RUNNING", { file, problem: why });
  }
  const code = await askForCode(dashboard).catch((error: unknown) => {
    const why = `names ${dashboard.url}, which does not answer (${causeOf(error)})`;
    throw new HermesError("HERMES_DASHBOARD_NOT_RUNNING", { file, problem: why }, { cause: error });
  });
  const link = `${dashboard.url}/#code=${code}`;
  if (flags.json) context.json({ url: dashboard.url, link });
  else context.out(link);
  if (flags.open) openBrowser({ link, run: paths.run, env: context.env, note: context.note });
}

async function askForCode({ url, token }: DiscoveredDashboard): Promise<string> {
  const response = await fetch(`${url}/api/session/code`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { code } = (await response.json()) as { code?: unknown };
  if (typeof code !== "string" || !/^[\w-]+$/.test(code)) throw new Error("no code in the response");
  return code;
}

/** `fetch` says "fetch failed" and keeps the reason as the cause. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return problemOf(cause ?? error) || "no connection";
}
