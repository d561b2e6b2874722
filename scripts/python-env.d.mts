/** The system's Python 3 with its version, or null where it or its venv module is missing. */
export function findPython(): { command: string; version: string } | null;

/** The interpreter of an environment (`test/python/requirements-<name>.txt`), installed first where it is missing. */
export function ensurePython(name?: string): Promise<string>;

/** Whether tests beside PyTorch run: it is installed already, or CELLARR_TORCH=install says that it may be. */
export function hasTorch(): boolean;
