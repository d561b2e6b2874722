/** What the help of several commands says, and options have in common. */

export const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
Answers go to standard output, progress and errors to standard error.`;

/** For options that may be given several times. */
export const repeat = (value: string, all: readonly string[]): string[] => [...all, value];
