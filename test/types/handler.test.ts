/** The types of `hermes-hooks/handler`, tested by the type checker: `npm run check` fails when one is wrong. */
import assert from "node:assert/strict";
import test from "node:test";
import type { CommandDecision, Context, GatewayEvent, Handler, Host, HostWith } from "hermes-hooks/handler";

test("a context has the keys of its event, a decision those of its kind, and grants are there when named", () => {
  const command: Handler<"command:usage"> = (event_type, context) => {
    const args: string = context.args;
    // @ts-expect-error -- no such key in the context
    void context.response;
    return args === "" ? { decision: "deny" } : { decision: "rewrite", command_name: "help", raw_args: event_type };
  };
  const several: Handler<"agent:start" | "agent:end"> = async (_event_type, context) => void context.message;
  const granted: Handler<GatewayEvent, "kv" | "fetch"> = async (_event_type, _context, host) => {
    await host.kv.set("a", String((await host.fetch("https://example.com")).status));
    // @ts-expect-error -- not granted, so it may be missing
    void host.env.TOKEN;
  };
  const startup: Context<"gateway:startup"> = { platforms: ["telegram"] };
  // @ts-expect-error -- no such decision
  const wrong: CommandDecision = { decision: "allow" };
  const host: Host = {} as HostWith<"env">;
  // @ts-expect-error -- nothing emits it
  const unknown: Handler<"session:begin"> = () => null;
  assert.ok([command, several, granted, startup, wrong, host, unknown].length === 7);
});
