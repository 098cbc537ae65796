/** How a configured server is reached: what is started, with which environment, or what is asked over HTTP. */
import { filterEnvironment } from "#sandbox/process/environment";
import { markAgentEnvironment } from "#core/agent-mark";
import type { McpServerSettings } from "#core/home/mcp-settings";
import { expandHome, userHome } from "#core/home/paths";
import type { Wall } from "#core/ports/wall";
import type { Endpoint } from "./connection.ts";

/** Where servers are started. */
export interface ServerPlace {
  readonly cwd: string;
  /** The program's environment; servers get it filtered. */
  readonly env: NodeJS.ProcessEnv;
  /** The home of hermes, which servers are marked with: they work for the agent. */
  readonly home: string;
  /** What servers may see and write. */
  readonly wall?: (() => Wall) | undefined;
}

/** The endpoint of a server. `onText` takes what its process writes besides messages. */
export function endpointOf(
  settings: McpServerSettings,
  { cwd, env, home, wall }: ServerPlace,
  onText: (line: string) => void,
): Endpoint {
  if (settings.url !== undefined) return { kind: "http", url: settings.url, headers: texts(settings.headers) };
  return {
    kind: "stdio",
    argv: serverWords(settings, env),
    cwd,
    env: markAgentEnvironment({ ...filterEnvironment(env, []), HERMES_HOME: home, ...texts(settings.env) }, home),
    wall: wall?.(),
    onText,
  };
}

/** The program and its arguments; `~` at the start of a word is the user's home, as in shell hooks. */
export function serverWords(
  { command = "", args = [] }: McpServerSettings,
  env: NodeJS.ProcessEnv,
): readonly [string, ...string[]] {
  const expand = (word: string) => expandHome(word, userHome(env));
  return [expand(command), ...args.map((word) => expand(String(word)))];
}

function texts(values: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
