import type { Command } from "#cli/command-line/command";
import { openApprovals } from "#allowlist/approvals";
import { visible } from "#allowlist/visible";
import { loadConfig } from "#core/home/config";
import type { CliContext } from "#cli/context";
import { printList, type Column } from "#cli/list";
import { findInboundProblem, inboundHooksOf, inboundRequest } from "#cli/inbound/scripts";

const COLUMNS: readonly Column[] = [
  { head: "HOOK" },
  { head: "BIND" },
  { head: "PATH" },
  { head: "METHODS", isOptional: true },
  { head: "VERIFY" },
  { head: "STATE", kind: "state" },
  { head: "SCRIPT", kind: "text" },
];

/** `hermes inbound list` */
export async function listInbound(json: boolean, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const place = { cwd: process.cwd(), env: context.env, home: paths.home };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const hooks = inboundHooksOf(config.values, place).map((hook) => {
    const request = inboundRequest(hook);
    const unchanged = approvals.examine(request, [hook.file]).state === "unchanged";
    return {
      name: hook.name,
      bind: `${hook.host.includes(":") ? `[${hook.host}]` : hook.host}:${hook.port}`,
      path: hook.path,
      methods: hook.methods,
      script: hook.script,
      verify: hook.verify,
      allowed: approvals.decide(request).granted && unchanged,
      problem: findInboundProblem(hook, place),
    };
  });
  if (json) return context.json({ hooks });
  if (hooks.length === 0) return context.out("No inbound webhooks are configured.");
  const rows = hooks.map(({ name, bind, path, methods, verify, allowed, problem, script }) => {
    const state = problem !== null ? visible(problem) : allowed ? "allowed" : "not allowed";
    return [name, bind, visible(path), methods.join(","), verify, state, visible(script)];
  });
  printList(context, COLUMNS, rows);
}
