import type { Tool } from "#core/ports/agent";
import type { DaemonToolsPort } from "#core/ports/daemon-tools";
import { createRunInBackground } from "./run-in-background.ts";
import { createSchedule } from "./schedule.ts";
import { createUseSkill } from "./use-skill.ts";

/** The tools of a session that stays (CONTRACT §13), as of now: skills come and go. */
export function createDaemonTools(port: DaemonToolsPort): readonly Tool[] {
  const skills = port.skills();
  return [
    createSchedule({ schedule: (entry) => port.schedule(entry) }),
    createRunInBackground({ runInBackground: (task) => port.runInBackground(task) }),
    ...(skills.length === 0 ? [] : [createUseSkill(skills, { useSkill: (name) => port.useSkill(name) })]),
  ];
}
