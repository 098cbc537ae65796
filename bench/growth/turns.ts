import { fillHistory, openAgent } from "./agent.ts";
import type { Topic } from "./topic.ts";

/** A turn of the offline model without a call, in a process that runs already. It is removed after each. */
export const history: Topic = {
  title: "History of a session",
  input: "messages",
  sizes: [10, 100, 1000, 3000, 10_000],
  lines: [
    {
      name: "a turn",
      prepare: (size, home) => {
        const agent = openAgent(home);
        const session = agent.sessions.create({ platform: "cli", source: "chat" });
        fillHistory(agent, session.id, size);
        return {
          once: async () => {
            await agent.turn(session, "hello");
            agent.sessions.truncate(session.id, size);
          },
          [Symbol.asyncDispose]: async () => agent[Symbol.dispose](),
        };
      },
    },
  ],
};
