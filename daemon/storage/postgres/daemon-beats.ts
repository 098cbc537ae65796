/** How a daemon shows the machines that share a database that it lives. */

/** A daemon whose last beat is older than this is gone; it beats every five seconds. */
export const LOST_MS = 30_000;
