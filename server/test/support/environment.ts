/** Of the environment what a process needs to run, and nothing that would configure it. */
export const bareEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(['PATH', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE'].map((name) => [name, process.env[name]]));
