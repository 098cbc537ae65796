/** How people see where a daemon takes the requests of its webhooks. */
import { visible } from "#allowlist/visible";
import type { HookAddress } from "#core/ports/inbound";
import type { CliContext } from "../context.ts";

/** Says at the start where each hook is, and how a request to it is verified. */
export function tellAddresses(addresses: readonly HookAddress[], { note }: Pick<CliContext, "note">): void {
  for (const { name, url, verify } of addresses)
    note(`The inbound webhook "${name}" is at ${visible(url)} (verify: ${verify}).`);
}

/** The hooks of a daemon in one line, each with its address if it has one: in safe mode none is served. */
export function describeHooks(hooks: readonly string[], addresses: readonly HookAddress[] = []): string {
  const urls = new Map(addresses.map(({ name, url }) => [name, url]));
  return hooks.map((name) => visible([name, urls.get(name) ?? ""].join(" ").trimEnd())).join(", ");
}
