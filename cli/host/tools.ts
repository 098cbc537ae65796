/** The part of a host that makes the agent's built-in tools, within the limits of the configuration of now. */
import { createGuardedFiles, type HookScripts } from "#agent/guard/files";
import { createBackgroundCommands } from "#agent/tools/background";
import { createBuiltinTools } from "#agent/tools/builtin";
import { agentHomes } from "#core/agent-mark";
import type { Config } from "#core/home/config";
import { homePaths, userHome } from "#core/home/paths";
import type { Tool } from "#core/ports/agent";
import type { Wall, WallProfile } from "#core/ports/wall";
import { createOutsideAnswers } from "../outside/answers.ts";
import type { HostOptions } from "./host.ts";

export interface HostTools extends AsyncDisposable {
  /** The tools of now. */
  readonly builtin: () => readonly Tool[];
  /** Makes the tools again for another configuration. */
  readonly configure: (config: Config) => void;
  /** Ends the background commands of a session. */
  readonly endSession: (sessionId: string) => void;
}

export interface HostToolsOptions extends Pick<HostOptions, "context" | "paths"> {
  readonly config: Config;
  readonly walls: (profile: WallProfile) => Wall;
  /** The scripts of hooks, which the agent must not touch. */
  readonly scripts: () => HookScripts;
  /** Variables that hooks set for a session's commands. */
  readonly sessionVariables: (sessionId: string) => Readonly<Record<string, string>>;
  /** Called once when commands in the sandbox cannot ask this process for what is hidden from them. */
  readonly onProblem: (problem: string) => void;
}

/** The end of the tools ends their background commands. */
export function openTools(options: HostToolsOptions): HostTools {
  const { context, paths, config, walls, scripts, sessionVariables, onProblem } = options;
  const { env } = context;
  // The limits of agents around this one hold here, too.
  const homes = [paths, ...agentHomes(env).map((home) => homePaths(home, env))];
  const guard = createGuardedFiles(homes, { home: userHome(env), env, scripts });
  const background = createBackgroundCommands();
  const answers = createOutsideAnswers({ paths, env, onProblem });
  const make = ({ values }: Config) =>
    createBuiltinTools({
      guard,
      home: paths.home,
      env,
      envPassthrough: values.agent.env_passthrough,
      sessionVariables,
      wall: answers.serve(walls(values.sandbox?.tools ?? "auto")),
      background,
    });
  let tools = make(config);
  return {
    builtin: () => tools,
    configure(other) {
      tools = make(other);
    },
    endSession: (sessionId) => void background.endSession(sessionId),
    async [Symbol.asyncDispose]() {
      await background[Symbol.asyncDispose]();
      await answers[Symbol.asyncDispose]();
    },
  };
}
