import { userHome } from "#core/home/paths";

/** Every tool that an agent has without plugins, by name; none of them is run. */
export async function listBuiltinTools(env: NodeJS.ProcessEnv): Promise<readonly { readonly name: string }[]> {
  const { createGuardedFiles } = await import("#agent/guard/files");
  const { createBuiltinTools } = await import("#agent/tools/builtin");
  const guard = createGuardedFiles([], { home: userHome(env), env });
  return [...createBuiltinTools({ guard, home: "", env, envPassthrough: [] }), { name: "delegate_task" }];
}
