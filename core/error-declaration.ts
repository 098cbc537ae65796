/** The building blocks of the error table. */

/** Exit codes of the program (CONTRACT §3). */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notRunning: 4,
  turnLimit: 53,
  /** A task that took too long, and a wait for one. */
  timeout: 124,
  interrupted: 130,
  terminated: 143,
} as const;

export interface Declaration<Fields> {
  /** The exit code of a command that fails with this error. */
  readonly exit: number;
  readonly compose: (fields: Fields) => string;
}

export function declare<Fields>(exit: number, compose: (fields: Fields) => string): Declaration<Fields> {
  return { exit, compose };
}

/** `file:line: key`, the position of a problem in a file. */
export const at = (where: { file: string; line?: number | undefined; key?: string | undefined }): string =>
  `${where.file}${where.line === undefined ? "" : `:${where.line}`}${where.key ? `: ${where.key}` : ""}`;
