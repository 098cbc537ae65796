/** The answers of the health check, `/livez` and `/readyz`. */
import type { FastifyReply } from "fastify";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { createRareLog } from "#core/rare-log";
import type { DatabaseProbe } from "./probe.ts";

export type Handler = (reply: FastifyReply) => Promise<unknown>;

export interface HealthOptions {
  readonly probe: DatabaseProbe;
  /** How many tasks of the home are running. */
  readonly activeTasks: () => Promise<number>;
  readonly log: Log;
}

interface Health {
  readonly status: "healthy" | "unhealthy";
  readonly uptime: number;
  readonly active_tasks: number;
  readonly memory_mb: number;
}

/** The handlers of the health check, and what makes it unhealthy for good. */
export function createHealth({ probe, activeTasks, log }: HealthOptions) {
  let started = false;
  let draining = false;
  let active = 0;
  const rare = createRareLog({ write: (sentence) => log.error(sentence) });

  async function isWell(): Promise<boolean> {
    if (draining) return false;
    const problem = await probe.problem();
    if (problem !== null) rare(`the database takes no writes: ${problem}`);
    return problem === null && !draining;
  }

  return {
    begin: () => {
      started = true;
    },
    drain: () => {
      draining = true;
    },
    health: async (reply: FastifyReply) => {
      const well = await isWell();
      try {
        active = await activeTasks();
      } catch (error) {
        rare(`tasks cannot be read: ${problemOf(error)}`);
      }
      const answer: Health = {
        status: well ? "healthy" : "unhealthy",
        uptime: Math.round(process.uptime()),
        active_tasks: active,
        memory_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
      };
      return reply.code(well ? 200 : 503).send(answer);
    },
    live: async (reply: FastifyReply) => reply.send({ status: "alive" }),
    ready: async (reply: FastifyReply) => {
      if (!started) return reply.code(503).send({ status: "starting" });
      const well = await isWell();
      return reply.code(well ? 200 : 503).send({ status: well ? "ready" : draining ? "draining" : "unhealthy" });
    },
  };
}
