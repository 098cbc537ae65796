/** Which machine and home a process of many is on. */
import { hostname } from "node:os";
import { processSpace } from "#core/process-space";

export interface Machine {
  /** Its name, for people. */
  readonly host: string;
  /** What its pids mean something in. */
  readonly space: string;
  /** The folder of the home, with the name of the machine: tasks are counted by it, and their output is in it. */
  readonly home: string;
}

/** The machine of this process. */
export function thisMachine(home: string): Machine {
  const host = hostname();
  // Without a better name, the machine's own: its pids are looked up as those of a home of its own are.
  return { host, space: processSpace() ?? host, home: `${host}:${home}` };
}
