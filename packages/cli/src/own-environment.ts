/** What tasks inherit: everything but what is between our own processes. */
export function environmentForTasks(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TASKMUSTER_")));
}
