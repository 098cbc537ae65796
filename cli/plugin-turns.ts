/** Turns that plugins ask for (`ctx.run_turn`): each in a session of its own, without a surface that renders it. */
import { withDeadline } from "#core/deadline";
import type { Log } from "#core/home/log";
import type { AgentRunner, SessionRepository, TurnResult } from "#core/ports/agent";

interface PluginTurnsDeps {
  readonly runner: AgentRunner;
  readonly sessions: SessionRepository;
  readonly surface: string;
  readonly log: Log;
}

export interface PluginTurns extends AsyncDisposable {
  /** Runs a turn. Its errors are in the log. */
  run(request: { readonly prompt: string; readonly plugin: string }): Promise<TurnResult>;
  /** How many run now. */
  readonly active: number;
  /** Resolves when those that run have ended. */
  settled(): Promise<void>;
  /** Stops those that run and lets their closing hooks end, for a while. From now on every turn is stopped. */
  stop(): Promise<void>;
}

/** How long the closing hooks of turns may take that the end of the program stops. */
const CLOSING_MS = 2000;

export function createPluginTurns({ runner, sessions, surface: platform, log }: PluginTurnsDeps): PluginTurns {
  const stopped = new AbortController();
  const closed = new AbortController();
  const running = new Set<Promise<unknown>>();

  async function turn(prompt: string, plugin: string): Promise<TurnResult> {
    const session = sessions.create({ platform, source: `plugin:${plugin}` });
    try {
      return await runner.turn({
        session,
        message: prompt,
        platform,
        signal: stopped.signal,
        onFrame: (frame) => {
          if (frame.type === "error") log.error(frame.message, { plugin, session_id: frame.session_id });
        },
      });
    } finally {
      await runner.close({ session, platform, signal: closed.signal });
    }
  }

  async function stop(): Promise<void> {
    stopped.abort();
    await withDeadline(CLOSING_MS, settled, { keepsAlive: false });
    closed.abort();
  }

  async function settled(): Promise<void> {
    while (running.size > 0) await Promise.allSettled(running);
  }

  return {
    async run({ prompt, plugin }) {
      const result = turn(prompt, plugin);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    get active() {
      return running.size;
    },
    settled,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
