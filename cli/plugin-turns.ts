/** Turns of plugins (`ctx.run_turn`), each in its own session and without output. */
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
  /** Runs a turn. Errors go to the log. */
  run(request: { readonly prompt: string; readonly plugin: string }): Promise<TurnResult>;
  /** The number of running turns. */
  readonly active: number;
  /** Resolves when all running turns have ended. */
  settled(): Promise<void>;
  /** Stops running turns and all later ones, and waits a limited time for their closing hooks. */
  stop(): Promise<void>;
}

/** How long the closing hooks of stopped turns may take. */
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
