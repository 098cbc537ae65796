/** A conversation with a scripted model, on a terminal whose screen is read. */
import type { TestContext } from "node:test";
import { Home } from "./hermes.ts";
import { startModelServer, type Reply } from "./model-server.ts";
import type { Pty } from "./pty.ts";
import { until } from "./poll.ts";
import { screenOf, type Screen } from "./screen.ts";

export interface Chat {
  readonly home: Home;
  readonly pty: Pty;
  readonly screen: Screen;
  /** Waits until the view holds this; the rows of the view then. */
  shows(wanted: string | RegExp): Promise<string[]>;
}

/** Starts `hermes chat` and waits for its first prompt. `prepare` may change the home before. */
export async function startChat(
  t: TestContext,
  {
    replies = [],
    columns = 80,
    env = {},
    args = [],
    prepare = () => undefined,
  }: {
    replies?: readonly Reply[];
    columns?: number;
    env?: NodeJS.ProcessEnv;
    args?: readonly string[];
    prepare?: (home: Home) => void;
  },
): Promise<Chat> {
  const model = await startModelServer(replies);
  t.after(() => model.stop());
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\n`);
  prepare(home);
  const pty = home.terminal(["chat", ...args], env, { columns, rows: 24 });
  t.after(() => pty.kill());
  const screen = screenOf(pty, { columns, rows: 24 });
  async function shows(wanted: string | RegExp): Promise<string[]> {
    let view: string[] = [];
    const holds = (text: string) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text));
    return until(
      async () => {
        view = await screen.view();
        return holds(view.join("\n")) ? view : undefined;
      },
      `the screen shows ${String(wanted)}`,
      { seen: () => view.join("\n") },
    );
  }
  await shows(/^› *$/m);
  return { home, pty, screen, shows };
}
