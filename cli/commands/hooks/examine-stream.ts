/** What `hermes hooks doctor` says about the stream that events are forwarded to. */
import type { Config } from "#core/home/config";
import { isForwarderOff } from "#core/forward/switch";
import { userHome } from "#core/home/paths";

/** Connects to NATS as processes with events do; changes nothing there. Never throws. */
export async function examineStream(config: Config, env: NodeJS.ProcessEnv) {
  const settings = config.values.forward?.nats;
  if (settings === undefined) return { problems: [], notes: [] };
  if (isForwarderOff(env)) return { problems: [], notes: ["HERMES_HOOK_FORWARDER is off: no events are forwarded."] };
  const servers = settings.servers.join(", ");
  try {
    config.demand("forward");
    const { checkNats } = await import("#core/forward/nats/check");
    return { problems: [], notes: [`NATS at ${servers}: ${await checkNats({ settings, userHome: userHome(env) })}.`] };
  } catch (error) {
    const { natsProblem } = await import("#core/forward/nats/connect");
    return { problems: [`Events do not get to NATS at ${servers}: ${natsProblem(error)}`], notes: [] };
  }
}
