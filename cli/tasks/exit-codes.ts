/** Exit code of a task that took too long, and of a wait for one. */
export const TIMEOUT_EXIT = 124;
