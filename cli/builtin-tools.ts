import { userHome } from "#core/home/paths";

/** Every built-in tool by name, for listings. */
export async function listBuiltinTools(env: NodeJS.ProcessEnv): Promise<readonly { readonly name: string }[]> {
  const { createGuardedFiles } = await import("#agent/guard/files");
  const { createBuiltinTools } = await import("#agent/tools/builtin");
  const guard = createGuardedFiles([], { home: userHome(env), env });
  return [...createBuiltinTools({ guard, home: "", env, envPassthrough: [] }), { name: "delegate_task" }];
}
