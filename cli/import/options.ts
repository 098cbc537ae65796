/** The options of `hermes hooks import`; a separate file, so that other commands load nothing else of it. */

/** Programs whose hook settings can be read, by the names of their protocols. */
export const IMPORTABLE_PROGRAMS = ["claude", "codex", "gemini", "cursor", "copilot"] as const;

export type ImportableProgram = (typeof IMPORTABLE_PROGRAMS)[number];

export interface ImportOptions {
  readonly from?: ImportableProgram;
  readonly write?: true;
  readonly json?: true;
}
