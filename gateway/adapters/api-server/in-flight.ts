/** The running requests for an answer: limited in number, and awaited at the end. */
import type { ServerResponse } from "node:http";
import { RequestProblem } from "./problem.ts";

export interface InFlight {
  /** Takes a slot before the body is read. Throws a RequestProblem: 429 when all are taken, 503 after `close`. */
  enter(response: ServerResponse): void;
  /** Runs the answer in the slot of its response, which is freed when the answer has ended. */
  run<Value>(response: ServerResponse, answer: () => Promise<Value>): Promise<Value>;
  /** Accepts no more requests; resolves when all running answers have ended. */
  close(): Promise<void>;
}

export function createInFlight(most: number): InFlight {
  /** Responses whose bodies are still being read. */
  const reading = new Set<ServerResponse>();
  const answering = new Set<ServerResponse>();
  const landed = Promise.withResolvers<void>();
  let closing = false;

  function leave(response: ServerResponse): void {
    answering.delete(response);
    if (closing && answering.size === 0) landed.resolve();
  }

  return {
    enter(response) {
      if (closing) throw new RequestProblem(503, "shutting_down", "The server is shutting down.");
      if (reading.size + answering.size >= most) {
        const message = `${most} requests are already running; try again later.`;
        throw new RequestProblem(429, "rate_limit_exceeded", message, { "retry-after": "1" });
      }
      reading.add(response);
      response.once("close", () => reading.delete(response));
    },
    async run(response, answer) {
      if (closing) throw new RequestProblem(503, "shutting_down", "The server is shutting down.");
      reading.delete(response);
      answering.add(response);
      try {
        return await answer();
      } finally {
        leave(response);
      }
    },
    close() {
      closing = true;
      if (answering.size === 0) landed.resolve();
      return landed.promise;
    },
  };
}
