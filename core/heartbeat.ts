/** How often what stays (a worker, a daemon) says that it lives, and how long after the last time nobody believes it. */
export const HEARTBEAT_MS = 5000;
export const SILENT_MS = 30_000;
