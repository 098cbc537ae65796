import type { Topic } from "./topic.ts";

/** Each in a module of its own, so that none adds to another's memory. */
export const TOPICS: Readonly<Record<string, () => Promise<Topic>>> = {
  hooks: async () => (await import("./hooks.ts")).hooks,
  folders: async () => (await import("./folders.ts")).folders,
  plugins: async () => (await import("./plugins.ts")).plugins,
  history: async () => (await import("./turns.ts")).history,
  sessions: async () => (await import("./sessions.ts")).sessions,
  approvals: async () => (await import("./approvals.ts")).approvals,
  log: async () => (await import("./log.ts")).log,
  subscribers: async () => (await import("./subscribers.ts")).subscribers,
};
