/** What the agent's tools of a session that stays need of it (CONTRACT §13). */

/** A text of instructions that the model can ask for, in `skills/<name>/SKILL.md` of the home. */
export interface Skill {
  readonly name: string;
  readonly description: string;
}

export interface DaemonToolsPort {
  /** Rejects with HERMES_SCHEDULE_TIME for a time that cannot be read. */
  schedule(entry: { readonly when: string; readonly prompt: string }): Promise<{ id: string; next_at: string }>;
  /** Stores a task whose report comes through the inbox. Rejects with HERMES_BACKGROUND_OFF. */
  runInBackground(task: { readonly prompt: string; readonly cwd: string }): Promise<{ id: string }>;
  /** The skills of now. */
  skills(): readonly Skill[];
  /** Puts the skill's content into the inbox. Rejects with a sentence when it cannot be read. */
  useSkill(name: string): Promise<void>;
}
